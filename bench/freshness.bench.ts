// POST → queryable at a fixed rate. Open loop: events leave on schedule whatever the server does, and each is timed from
// the moment it should have left, so a stall is not hidden (no coordinated omission).

import { clientEvent } from '../test/support/events.ts';
import { randomOf } from '../test/support/random.ts';
import { startUgc, temporaryFolder, type Ugc } from '../test/support/ugc.ts';
import { cpuUs, percentile } from './process.ts';
import type { Row } from './report.ts';

export async function freshnessBench(eventsPerS: number, seconds: number): Promise<Row> {
  const ugc = await startUgc({ dataDir: temporaryFolder() });
  await post(ugc, eventsPerS, 2); // warm
  const before = cpuUs(ugc.pid);
  const watching = new AbortController();
  const seen = watch(ugc, watching.signal);
  const sent = await post(ugc, eventsPerS, seconds);
  const acks = [...sent.values()].map(({ ackMs }) => ackMs).sort((a, b) => a - b);
  await Bun.sleep(1_500);
  watching.abort();
  const visible = await seen;
  const us = cpuUs(ugc.pid) - before;
  const freshMs: number[] = [];
  for (const [id, { dueAtMs }] of sent) {
    const atMs = visible.get(id);
    if (atMs !== undefined) freshMs.push(atMs - dueAtMs);
  }
  freshMs.sort((a, b) => a - b);
  await ugc.stop();
  return {
    what: `POST → queryable at ${eventsPerS}/s`,
    'fresh p50 ms': percentile(freshMs, 0.5),
    'fresh p95 ms': percentile(freshMs, 0.95),
    'fresh p99 ms': percentile(freshMs, 0.99),
    'ack p50 ms': percentile(acks, 0.5),
    'ack p99 ms': percentile(acks, 0.99),
    note: `${freshMs.length} of ${sent.size} seen; the watcher asks every 20 ms; ${(us / (seconds + 1.5) / 1e4).toFixed(0)} % of a core with it`,
  };
}

interface Sent {
  readonly dueAtMs: number;
  readonly ackMs: number;
}

/** Posts singles on schedule; a schedule tick is 5 ms. */
async function post(ugc: Ugc, eventsPerS: number, seconds: number): Promise<Map<string, Sent>> {
  const random = randomOf('freshness');
  const sent = new Map<string, Sent>();
  const inFlight: Promise<void>[] = [];
  const startedAt = Date.now();
  const total = eventsPerS * seconds;
  for (let n = 0; n < total; ) {
    const due = Math.min(total, 1 + Math.floor(((Date.now() - startedAt) / 1000) * eventsPerS));
    for (; n < due; n++) {
      const dueAtMs = startedAt + (n / eventsPerS) * 1000;
      const event = clientEvent(random);
      inFlight.push(
        ugc.post(event).then(async response => {
          await response.arrayBuffer();
          if (response.ok) sent.set(event.event_id, { dueAtMs, ackMs: Date.now() - dueAtMs });
        }),
      );
    }
    await Bun.sleep(5);
  }
  await Promise.all(inFlight);
  return sent;
}

/** When each id was first returned by a query on `events`. */
async function watch(ugc: Ugc, signal: AbortSignal): Promise<Map<string, number>> {
  const seen = new Map<string, number>();
  let since = Date.now() - 1_000;
  while (!signal.aborted) {
    const askedFrom = since;
    since = Date.now();
    // Rows can become readable a little after later-received ones of other tables: look back two seconds.
    const rows = await ugc.query<{ id: string }>(
      `SELECT toString(event_id) AS id FROM ugc.events WHERE received_at >= fromUnixTimestamp64Milli(toInt64(${askedFrom - 2_000}))`,
    );
    const atMs = Date.now();
    for (const { id } of rows) if (!seen.has(id)) seen.set(id, atMs);
    await Bun.sleep(20);
  }
  return seen;
}
