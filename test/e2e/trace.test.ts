// `ugc trace`: one event on its way through the buffer, as a row, as a dead letter, and nowhere.

import { afterAll, expect, test } from 'bun:test';
import { readInstance } from '../../src/instance.ts';
import { exampleClick } from '../support/events.ts';
import { cleanUp, eventually, runUgc, startUgc, temporaryFolder } from '../support/ugc.ts';

afterAll(cleanUp);

const id = '0190a000-0000-7000-8000-00000000000a';

test('an event is found where it is, at each step of its way', async () => {
  const dataDir = temporaryFolder();
  const trace = async (given: string, ...flags: string[]) => {
    const { code, stdout, stderr } = await runUgc(['trace', given, ...flags, `--data-dir=${dataDir}`]);
    const found = flags.includes('--json')
      ? stdout
          .split('\n')
          .filter(Boolean)
          .map(line => JSON.parse(line))
      : stdout;
    return { code, found, stderr };
  };
  const ingest = await startUgc({ dataDir, flags: ['--role=ingest'] });
  expect((await ingest.post({ ...exampleClick, event_id: id })).status).toBe(200);
  expect(await trace(id, '--json')).toMatchObject({
    code: 0,
    found: [{ event_id: id, is: 'in_buffer', about: { topic: 'ugc.click', event_type: 'click' } }],
    stderr: '',
  });
  await ingest.stop();

  const ugc = await startUgc({ dataDir });
  await eventually(async () => (await ugc.query('SELECT 1 FROM ugc.click')).length === 1, { what: 'the row' });
  const { clickhouseKey } = (await eventually(() => readInstance(dataDir)))!;
  const letter = `('ugc.click', 0, 40, 0, 'invalid', 'no', '{"event_id":"${id.toUpperCase()}"', now64(), now64())`;
  const written = await fetch(ugc.clickhouseUrl, {
    method: 'POST',
    body: `INSERT INTO ugc.dead_letters_rows (topic, partition, position, index, reason, detail, raw, recorded_at, failed_at) VALUES ${letter}`,
    headers: { 'x-clickhouse-key': clickhouseKey },
  });
  expect(written.status).toBe(200);
  const running = await trace(id.toUpperCase(), '--json');
  expect(running).toMatchObject({ code: 0, stderr: '' });
  expect(running.found).toContainEqual({
    event_id: id,
    is: 'row',
    at: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6}Z$/),
    about: { event_type: 'click', timestamp: expect.stringMatching(/^2026-10-03T14:30:00\.0+Z$/), source: '' },
  });
  expect(running.found).toContainEqual(
    expect.objectContaining({
      is: 'dead_letter',
      about: { place: 'ugc.click/0/40', reason: 'invalid', detail: 'no', replayed_at: null },
    }),
  );
  expect((await trace(id)).found).toContain('a row, received then\n    event_type   click');
  expect(await ugc.stop()).toBe(0);

  expect((await trace(id)).found).toContain('a row, received then'); // from the stopped folder
  const nowhere = await trace('0190a000-0000-7000-8000-00000000000b');
  expect([nowhere.code, nowhere.found]).toEqual([1, '']);
  expect(nowhere.stderr).toContain('nowhere to be found');
  expect((await trace('x')).code).toBe(2);
});
