// POST → queryable at a fixed rate. Open loop: events leave on schedule whatever the server does, and each is timed from
// the moment it should have left, so a stall is not hidden (no coordinated omission).

import { catalogue } from '../schemas/catalogue.ts';
import { clientEvent } from '../test/support/events.ts';
import { randomOf } from '../test/support/random.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../test/support/ugc.ts';
import { cpuUs, percentile } from './process.ts';
import type { Row } from './report.ts';
import { type Coming, firstUnseen, freshnessOf, watch } from './watch.ts';

/** Those clientEvent makes. */
const filmTypes = catalogue.types.filter(({ family }) => family === 'film').map(({ name }) => name);

export async function freshnessBench(eventsPerS: number, seconds: number): Promise<Row> {
  const ugc = await startUgc({ dataDir: temporaryFolder() });
  await post(ugc, eventsPerS, 2); // warm
  const before = cpuUs(ugc.pid);
  const coming: Coming[] = [];
  const seen = watch(ugc, { types: filmTypes, sinceMs: firstUnseen(coming) });
  const sent = await post(ugc, eventsPerS, seconds, coming);
  const acks = [...sent.values()].map(({ ackMs }) => ackMs).sort((a, b) => a - b);
  const us = cpuUs(ugc.pid) - before;
  await eventually(() => [...sent.keys()].every(id => seen.byId.has(id)), { what: 'every event readable' });
  await seen.stop();
  await ugc.stop();
  const { columns, note } = freshnessOf(
    [...sent].map(([id, { dueAtMs }]) => ({ id, dueAtMs })),
    seen,
  );
  return {
    what: `POST → queryable at ${eventsPerS}/s`,
    ...columns,
    'ack p50 ms': percentile(acks, 0.5),
    'ack p99 ms': percentile(acks, 0.99),
    note: `${sent.size} events over ${filmTypes.length} tables; ${note}; ${(us / seconds / 1e4).toFixed(0)} % of a core with the watching`,
  };
}

interface Sent {
  /** Monotonic. */
  readonly dueAtMs: number;
  readonly ackMs: number;
}

/** Posts singles on schedule; a schedule tick is 5 ms. Tells what is `coming` as it is sent. */
async function post(ugc: Ugc, eventsPerS: number, seconds: number, coming: Coming[] = []): Promise<Map<string, Sent>> {
  const random = randomOf('freshness');
  const sent = new Map<string, Sent>();
  const inFlight: Promise<void>[] = [];
  const startedAt = performance.now();
  const total = eventsPerS * seconds;
  for (let n = 0; n < total; ) {
    const due = Math.min(total, 1 + Math.floor(((performance.now() - startedAt) / 1000) * eventsPerS));
    for (; n < due; n++) {
      const dueAtMs = startedAt + (n / eventsPerS) * 1000;
      const event = clientEvent(random);
      coming.push({ id: event.event_id, sinceMs: Date.now() });
      inFlight.push(
        ugc.post(event).then(async response => {
          await response.arrayBuffer();
          if (response.ok) sent.set(event.event_id, { dueAtMs, ackMs: performance.now() - dueAtMs });
        }),
      );
    }
    await Bun.sleep(5);
  }
  await Promise.all(inFlight);
  return sent;
}
