// `ugc trace` on a data folder: an event in the buffer, as a row of a running and of a stopped instance, as a dead letter,
// and one that nobody knows.

import { expect, test } from 'bun:test';
import { exampleClick } from '../support/events.ts';
import { drained } from '../support/oracle.ts';
import { runUgc, startUgc, temporaryFolder } from '../support/ugc.ts';

const id = '0193a0f0-0000-7000-8000-000000000001';
const event = { ...exampleClick, event_id: id };

test('an event is found wherever it lies, and places that cannot be asked are named', async () => {
  const dataDir = temporaryFolder();
  const trace = async (asked = id) => {
    const { code, stdout } = await runUgc(['trace', asked, '--json', `--data-dir=${dataDir}`]);
    return { code, ...JSON.parse(stdout) };
  };
  const ingest = await startUgc({ dataDir, flags: ['--role=ingest'] });
  await ingest.post(event);
  const waiting = await trace();
  expect(waiting).toMatchObject({ code: 0, rows: [], buffer: [{ topic: 'ugc.click', type: 'click' }] });
  expect(JSON.parse(waiting.buffer[0].body)).toMatchObject({ event_id: id, element: 'play' });
  expect(waiting.unasked.clickhouse).toContain('there are no tables');
  await ingest.stop();

  const ugc = await startUgc({ dataDir, flags: ['--clickhouse-http-readonly=false'] });
  await drained(ugc);
  const stored = {
    code: 0,
    buffer: [],
    unasked: {},
    rows: [{ table: 'ugc.click', copies: 1, row: { element: 'play' } }],
  };
  expect(await trace()).toMatchObject(stored);
  expect(await trace(id.toUpperCase())).toMatchObject(stored);

  const dead = crypto.randomUUID();
  const raw = JSON.stringify({ event_id: dead, event_type: 'click', element: 'a\tb' });
  const response = await fetch(ugc.clickhouseUrl, {
    method: 'POST',
    body: `INSERT INTO ugc.dead_letters_rows (topic, partition, position, index, reason, detail, raw, recorded_at, failed_at) FORMAT JSONEachRow
${JSON.stringify({ topic: 'ugc.click', partition: 1, position: 7, index: 0, reason: 'invalid', detail: 'why', raw, recorded_at: '2026-11-22 01:00:00', failed_at: '2026-11-22 01:00:01' })}`,
  });
  expect(response.status).toBe(200);
  expect(await trace(dead)).toMatchObject({
    code: 0,
    rows: [],
    dead_letters: [{ topic: 'ugc.click', partition: 1, position: 7, reason: 'invalid', detail: 'why', raw }],
  });
  expect(await trace(crypto.randomUUID())).toMatchObject({
    code: 1,
    rows: [],
    dead_letters: [],
    buffer: [],
    unasked: {},
  });
  expect(await ugc.stop()).toBe(0);
  expect(await trace()).toMatchObject(stored);

  const { code, stdout } = await runUgc(['trace', id, `--data-dir=${dataDir}`]);
  expect(code).toBe(0);
  expect(stdout).toContain('ugc.click: {"event_id"');
  for (const wrong of [['trace'], ['trace', 'abc'], ['trace', id, id], ['trace', id, '--since=yesterday']])
    expect((await runUgc(wrong)).code).toBe(2);
}, 60_000);
