// The compiled binary on a disk whose reads fail now and then, as a network's do: nothing that was acked is missing among
// the rows. UGC_TEST_SEED repeats the dice.

import { expect, test } from 'bun:test';
import { exampleClick } from '../support/events.ts';
import { failingReads } from '../support/failing-reads.ts';
import { newLedger } from '../support/load.ts';
import { compare, metric } from '../support/oracle.ts';
import { randomOf } from '../support/random.ts';
import { eventually, startUgc, temporaryFolder } from '../support/ugc.ts';

const posts = 200;
const eventsPerPost = 100;
/** Of a million. A poll makes some ten reads. */
const failing = 80_000;
const enough = 10;

test('reads of the buffer that fail now and then lose nothing that was acked', async () => {
  const reads = failingReads(randomOf('failing reads').seed);
  if (reads === null) return console.log('no C compiler: reads that fail are not tested');
  const dataDir = temporaryFolder();
  const edge = await startUgc({ dataDir, flags: ['--role=ingest', '--request-log=false'] });
  const ledger = newLedger();
  for (let post = 0; post < posts; post++) {
    const events = Array.from({ length: eventsPerPost }, () => ({ ...exampleClick, event_id: Bun.randomUUIDv7() }));
    expect((await edge.post(events)).status).toBe(200);
    for (const { event_id } of events) {
      ledger.sent.set(event_id, Date.now());
      ledger.acked.set(event_id, 'click');
    }
  }
  expect(await edge.stop()).toBe(0);
  const ugc = await startUgc({ dataDir, flags: ['--request-log=false'], env: reads.env });
  reads.fail(failing);
  await eventually(async () => reads.failed() > 0, { what: 'a read fails' });
  // The sweep rests a second after each failure: not until the buffer is empty.
  const isOver = async () => reads.failed() >= enough || (await metric(ugc.url, 'ugc_buffer_events')) === 0;
  await eventually(isOver, { what: 'enough reads have failed' });
  reads.fail(0);
  const { rows, lost, foreign } = await compare(ugc, ledger);
  expect({ rows, lost: lost.length, foreign }).toEqual({ rows: posts * eventsPerPost, lost: 0, foreign: [] });
  expect(await ugc.stop()).toBe(0);
});

test('a start while every read fails ends nothing: nothing is taken until they have passed', async () => {
  const reads = failingReads(1);
  if (reads === null) return console.log('no C compiler: reads that fail are not tested');
  const dataDir = temporaryFolder();
  const flags = ['--role=ingest', '--request-log=false'];
  const before = await startUgc({ dataDir, flags });
  expect((await before.post(exampleClick)).status).toBe(200);
  expect(await before.stop()).toBe(0);
  reads.fail(1_000_000);
  const ugc = await startUgc({ dataDir, flags, env: reads.env });
  expect((await ugc.post(exampleClick)).status).toBe(503);
  reads.fail(0);
  await eventually(async () => (await ugc.post(exampleClick)).status === 200, { what: 'events are taken again' });
  expect(await metric(ugc.url, 'ugc_buffer_events')).toBe(2);
  expect(await ugc.stop()).toBe(0);
});
