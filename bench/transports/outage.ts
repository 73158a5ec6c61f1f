// What was put on the disk while the server was dead, sent to it once it is back; nobody sends meanwhile.

import { metric } from '../../test/support/oracle.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../../test/support/ugc.ts';
import { bodiesOf } from '../load.ts';
import { cpuUs } from '../process.ts';
import type { Row } from '../report.ts';
import type { BenchBroker } from './broker.ts';

const size = 100;
const atOnce = 8;

/** Ends with the server alive. */
export async function outageOfUgc(broker: BenchBroker, events: number): Promise<Row> {
  const ugc = await startUgc({
    dataDir: temporaryFolder(),
    env: broker.env(`outage-${crypto.randomUUID()}.{event_type}`, 'bench'),
    flags: ['--role=ingest', '--request-log=false'],
  });
  try {
    const [one] = bodiesOf(1, 1);
    const posted = async (body: unknown) => (await ugc.post(body)).text();
    await eventually(async () => (await posted(one)).includes(`"stored":"${broker.stored}"`), {
      what: `an answer from ${broker.title}`,
    });
    await broker.kill();
    await post(ugc, events);
    const waiting = await metric(ugc.url, 'ugc_buffer_events');
    const killed = { sent: await sentBy(ugc) };
    await broker.restart();
    const backAtMs = performance.now();
    const state = async () => ({
      sent: await sentBy(ugc),
      atMs: performance.now(),
      us: cpuUs(ugc.pid),
      server: broker.us(),
    });
    const before = await eventually(
      async () => {
        const at = await state();
        return at.sent > killed.sent ? at : null;
      },
      { what: 'the first events drained', msMax: 120_000, pauseMs: 10 },
    );
    await eventually(async () => (await metric(ugc.url, 'ugc_buffer_events')) === 0, {
      what: 'an empty buffer',
      msMax: 180_000,
    });
    const after = await state();
    const drained = after.sent - before.sent;
    return {
      what: `${broker.title}: ugc`,
      'events/s': Math.round(drained / ((after.atMs - before.atMs) / 1_000)),
      'core-µs/event': (after.us - before.us) / drained,
      'server core-µs/event': (after.server - before.server) / drained,
      note: `${waiting.toLocaleString('en')} events on the disk; the first left ${Math.round(before.atMs - backAtMs)} ms after the server answered, the last ${Math.round(after.atMs - backAtMs)} ms`,
    };
  } finally {
    ugc.kill('SIGKILL');
    await ugc.exited;
  }
}

const sentBy = (ugc: Ugc): Promise<number> => metric(ugc.url, 'ugc_buffer_drained_total');

async function post(ugc: Ugc, events: number): Promise<void> {
  const bodies = bodiesOf(size, 20);
  let left = Math.ceil(events / size);
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left-- > 0) {
        const response = await ugc.post(bodies[left % bodies.length]);
        if (!response.ok) throw new Error(`a POST without the server was answered ${response.status}`);
        await response.arrayBuffer();
      }
    }),
  );
}
