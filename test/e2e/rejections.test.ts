// What senders lose, in the compiled binary: rejections of every kind, by several keys and ways in, are rows with exact
// counts; nothing a client has written is in them; what was written survives kill -9; no client can write them itself.

import { expect, test } from 'bun:test';
import { exampleClick } from '../support/events.ts';
import { drained } from '../support/oracle.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const often = ['--rejections-seconds=1', '--request-log=false'];
/** Stands in everything that is sent wrong, and in nothing of ours. */
const mark = 'Ann\u2603Smith';
const click = { ...exampleClick, timestamp: new Date().toISOString() };

interface Lost {
  readonly what: string;
  readonly source: string;
  readonly type: string;
  readonly reason: string;
  readonly path: string;
  readonly lost: number;
}

const lostIn = (ugc: Ugc) =>
  ugc.query<Lost>(
    'SELECT what, source, type, reason, path, toUInt32(sum(rejected)) AS lost FROM ugc.rejections GROUP BY ALL ORDER BY ALL',
  );

const totalIn = async (ugc: Ugc): Promise<number> => (await lostIn(ugc)).reduce((sum, { lost }) => sum + lost, 0);

const reaches = (ugc: Ugc, total: number): Promise<unknown> =>
  eventually(async () => (await totalIn(ugc)) >= total, { what: `${total} rejections in the table` });

/** A row is there once, whatever was repeated. */
async function expectSingle(ugc: Ugc): Promise<void> {
  const [counts] = await ugc.query('SELECT count() = uniqExact(event_id) AS single FROM ugc.rejections');
  expect(counts).toEqual({ single: 1 });
}

test('every kind, by every way in, is counted for its key, and no word of a sender is told', async () => {
  const dataDir = temporaryFolder();
  const add = async (...args: string[]): Promise<string> =>
    (await runUgc(['keys', 'add', ...args, `--data-dir=${dataDir}`])).stdout.trim();
  const [shop, app] = [await add('shop', '--event-types=click'), await add('app')];
  const ugc = await startUgc({ dataDir, flags: [...often, '--auth=keys', '--event-bytes-max=4KiB'] });
  const post = async (key: string, body: unknown, path = '/v1/events', type = 'application/json') => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': type };
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return (await fetch(ugc.url + path, { method: 'POST', headers, body: text })).status;
  };
  const bad = { ...click, element: { [mark]: mark }, [mark]: mark };
  expect(await post(shop, bad)).toBe(422);
  expect(await post(shop, Array(40).fill(bad))).toBe(422);
  expect(await post(app, [bad, click, { ...click, [mark]: mark }, { event_type: mark }, mark, [mark]])).toBe(207);
  expect(await post(app, { ...click, page_url: mark.repeat(700) })).toBe(413);
  expect(await post(app, { ...click, timestamp: '1999-01-01T00:00:00Z', user_id: mark })).toBe(422);
  expect(await post(app, { ...click, timestamp: '2199-01-01T00:00:00Z', user_id: mark })).toBe(422);
  expect(await post(shop, { ...click, event_type: 'page_view', element: mark })).toBe(422);
  const { element: _, ...view } = { ...click, event_type: 'page_view' };
  expect(await post(shop, view)).toBe(403);
  expect(await post(app, `${JSON.stringify(click)}\n{"${mark}\n`, '/v1/events', 'application/x-ndjson')).toBe(207);
  expect(await post(app, `{"${mark}`)).toBe(400);
  expect(await post(shop, `{"${mark}`)).toBe(400);
  expect(await post(app, mark, '/v1/events', 'application/pdf')).toBe(415);
  expect(
    await post(app, `event_type=click&${mark}=1&${mark}=2`, '/v1/events', 'application/x-www-form-urlencoded'),
  ).toBe(422);
  expect(await post(app, { batch: mark }, '/v1/batch')).toBe(400);
  expect(await post(app, { batch: [{ type: mark, event: mark }] }, '/v1/batch')).toBe(200);
  const image = await fetch(`${ugc.url}/v1/pixel.gif?key=${app}&event_type=click&element=${encodeURIComponent(mark)}`);
  expect(image.headers.get('x-ugc-outcome')).toBe('rejected;reason=invalid');
  expect(await post('nobody', bad)).toBe(401);

  const wanted: readonly (readonly [string, string, string, string, string, number])[] = [
    ['event', 'shop', 'click', 'invalid', '/element', 41],
    ['event', 'app', 'click', 'invalid', '/element', 1],
    ['event', 'app', 'click', 'invalid', '(unknown)', 1],
    ['event', 'app', '(unknown)', 'unknown_type', '/event_type', 1],
    ['event', 'app', '(unknown)', 'invalid', '', 2],
    ['event', 'app', 'click', 'too_large', '', 1],
    ['event', 'app', 'click', 'too_old', '/timestamp', 1],
    ['event', 'app', 'click', 'in_future', '/timestamp', 1],
    ['event', 'shop', 'page_view', 'invalid', '(unknown)', 1],
    ['event', 'shop', 'page_view', 'not_allowed', '/event_type', 1],
    ['event', 'app', '(unknown)', 'not_json', '', 1],
    ['body', 'app', '(unknown)', 'not_json', '', 1],
    ['body', 'shop', '(unknown)', 'not_json', '', 1],
    ['body', 'app', '(unknown)', 'unsupported_media_type', '', 1],
    ['event', 'app', '(unknown)', 'invalid', '(unknown)', 1],
    ['body', 'app', '(unknown)', 'bad_request', '', 1],
    ['event', 'app', '(unknown)', 'invalid', '/type', 1],
    ['event', 'app', 'click', 'invalid', '/country', 1],
  ];
  await reaches(
    ugc,
    wanted.reduce((sum, [, , , , , lost]) => sum + lost, 0),
  );
  const rows = (await lostIn(ugc)).map(row => JSON.stringify(Object.values(row)));
  expect(rows.toSorted()).toEqual(wanted.map(row => JSON.stringify(row)).toSorted());
  await expectSingle(ugc);
  const table = JSON.stringify(await ugc.query('SELECT * FROM ugc.rejections'));
  for (const word of ['Ann', 'Smith', '\u2603', shop.slice(7), app.slice(7)]) expect(table).not.toContain(word);
  expect(table).toContain('<object>');
  expect(await ugc.query("SELECT 1 FROM ugc.events WHERE event_type = 'rejections'")).toEqual([]);
  expect(await ugc.stop()).toBe(0);
});

const rounds = 5;

test(`what was written is exact after each of ${rounds} kills with -9, and what was not is at most missing`, async () => {
  const dataDir = temporaryFolder();
  const bad = { ...click, element: 5 };
  let [written, sent] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const ugc = await startUgc({ dataDir, flags: often });
    for (let at = 0; at < 20; at++) expect((await ugc.post([bad, bad, bad])).status).toBe(422);
    await reaches(ugc, written + 60);
    written = await totalIn(ugc);
    sent += 60;
    expect(written).toBeLessThanOrEqual(sent);
    for (let at = 0; at < round * 7; at++) await ugc.post(bad); // of these nobody knows
    sent += round * 7;
    ugc.kill('SIGKILL');
    await ugc.exited;
    const after = await startUgc({ dataDir, flags: often });
    await drained(after);
    const kept = await totalIn(after);
    expect(kept).toBeGreaterThanOrEqual(written);
    expect(kept).toBeLessThanOrEqual(sent);
    written = kept;
    sent = kept; // the rest is gone
    await expectSingle(after);
    const seen = 'SELECT toUInt32(uniqExact(instance)) AS seen FROM ugc.rejections';
    expect(await after.query(seen)).toEqual([{ seen: round + 1 }]);
    expect(await after.stop()).toBe(0);
  }
});

test('an ingest process without ClickHouse writes them at its stop, and etl makes rows of them', async () => {
  const dataDir = temporaryFolder();
  const ingest = await startUgc({ dataDir, flags: ['--role=ingest'] });
  await ingest.post([{ ...click, element: 5 }, click]);
  expect(await ingest.stop()).toBe(0);
  const etl = await startUgc({ dataDir, flags: ['--role=etl'] });
  await reaches(etl, 1);
  expect(await lostIn(etl)).toEqual([
    { what: 'event', source: '', type: 'click', reason: 'invalid', path: '/element', lost: 1 },
  ]);
  expect(await etl.stop()).toBe(0);
});

test('no client can write them, and without the setting nobody does', async () => {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir, flags: ['--rejections-seconds=0'] });
  const forged = { event_type: 'rejections', timestamp: click.timestamp, rejected: 1_000_000, source: 'shop' };
  for (const path of ['/v1/events', '/v1/events/rejections'])
    expect(await (await ugc.post(forged, path)).json()).toMatchObject({ status: 422, reason: 'unknown_type' });
  expect(await (await fetch(`${ugc.url}/openapi.json`)).text()).not.toContain('/v1/events/rejections');
  expect(await ugc.stop()).toBe(0);
  const again = await startUgc({ dataDir, flags: ['--rejections-seconds=0'] });
  await drained(again);
  expect(await totalIn(again)).toBe(0);
  expect(await again.stop()).toBe(0);
});
