// SDKs of Segment and RudderStack, as they were published, into the compiled binary: with their own batches, gzip and
// retries, through a front that sheds, limits and loses answers, while ugc is killed and started again. Every call is
// exactly one row.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import RudderAnalytics from '@rudderstack/rudder-sdk-node';
import { Analytics } from '@segment/analytics-node';
import { type FlakyFront, flakyFront } from '../support/flaky-front.ts';
import { drained } from '../support/oracle.ts';
import { pythonWith } from '../support/python.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const python = await pythonWith('segment', ['segment-analytics-python==2.4.0', 'rudder-sdk-python==2.1.9']);
if (python === null)
  process.stderr.write(
    'NOT TESTED: the SDKs of Segment and RudderStack for Python, which are not here. They are fetched where CI is set\n',
  );

const dataDir = temporaryFolder();
const flags = ['--auth=keys', '--request-log=false'];
let ugc: Ugc;
let front: FlakyFront;
let key: string;
beforeAll(async () => {
  ugc = await startUgc({ dataDir, flags });
  front = flakyFront({ target: () => ugc.url });
  key = (await runUgc(['keys', 'add', 'site', `--data-dir=${dataDir}`])).stdout.trim();
  await eventually(
    async () => (await fetch(`${ugc.url}/v1/pixel.gif?key=${key}`)).headers.get('x-ugc-outcome') !== 'unauthorized',
    {
      what: 'the key counts',
    },
  );
}, 180_000);
afterAll(async () => {
  await front.stop();
  expect(await ugc.stop()).toBe(0);
});

const calls = 60;

/** Each call has a user of its own: rows by user. */
async function rowsOf(first: number): Promise<Map<string, number>> {
  await drained(ugc);
  const types = ['custom', 'page_view', 'user_identified', 'group_identified', 'user_aliased'];
  const rows = await ugc.query<{ user: string; type: string; rows: number }>(
    types
      .map(
        type => `SELECT user_id AS user, toInt32(count()) AS rows FROM ugc.${type} WHERE source = 'site' GROUP BY user`,
      )
      .join(' UNION ALL '),
  );
  const wanted = new Set(Array.from({ length: calls }, (_, at) => `user-${first + at}`));
  const found = new Map<string, number>();
  for (const { user, rows: count } of rows) if (wanted.has(user)) found.set(user, (found.get(user) ?? 0) + count);
  return found;
}

/** Kills it in the middle of what happens, and starts it again, on other ports. */
async function whileKilled(sending: Promise<unknown>): Promise<void> {
  const before = front.counts().through;
  await Promise.race([
    sending,
    eventually(() => front.counts().through >= before + 2, { what: 'something came through' }),
  ]);
  ugc.kill('SIGKILL');
  await ugc.exited;
  ugc = await startUgc({ dataDir, flags });
  await sending;
}

async function expectExactlyOnce(first: number, sending: Promise<unknown>): Promise<void> {
  const { lost } = front.counts();
  await whileKilled(sending);
  // Without an answer that was lost nothing was sent twice.
  expect(front.counts().lost).toBeGreaterThan(lost);
  const expected = new Map(Array.from({ length: calls }, (_, at) => [`user-${first + at}`, 1]));
  expect(await rowsOf(first)).toEqual(expected);
}

interface Caller {
  track(n: number, user: string): void;
  page(n: number, user: string): void;
  screen(n: number, user: string): void;
  identify(n: number, user: string): void;
  group(n: number, user: string): void;
  alias(n: number, user: string): void;
}
const kinds = ['track', 'page', 'screen', 'identify', 'group', 'alias'] as const;
const call = (caller: Caller, first: number): void => {
  for (let n = first; n < first + calls; n++) caller[kinds[n % kinds.length]!](n, `user-${n}`);
};

test('@segment/analytics-node', async () => {
  const analytics = new Analytics({ writeKey: key, host: front.url, flushAt: 7, flushInterval: 50 });
  const failed: unknown[] = [];
  analytics.on('error', error => failed.push(error));
  call(
    {
      track: (n, userId) => analytics.track({ userId, event: 'Trailer Muted', properties: { n } }),
      page: (n, userId) => analytics.page({ userId, name: 'Home', properties: { url: `https://example.com/${n}` } }),
      screen: (n, userId) => analytics.screen({ userId, name: 'Player', properties: { n } }),
      identify: (_, userId) => analytics.identify({ userId, traits: { plan: 'family' } }),
      group: (n, userId) => analytics.group({ userId, groupId: `group-${n}` }),
      alias: (n, userId) => analytics.alias({ userId, previousId: `before-${n}` }),
    },
    0,
  );
  await expectExactlyOnce(0, analytics.closeAndFlush({ timeout: 300_000 }));
  expect(failed).toEqual([]);
}, 400_000);

test('@rudderstack/rudder-sdk-node, compressed', async () => {
  const first = 1_000;
  let through = 0;
  const failed: unknown[] = [];
  const { promise: sending, resolve } = Promise.withResolvers<void>();
  const analytics = new RudderAnalytics(key, {
    dataPlaneUrl: front.url,
    flushAt: 7,
    flushInterval: 50,
    retryCount: 20,
    errorHandler: error => failed.push(error),
    logLevel: 'none',
  });
  const done = () => {
    if (++through === calls) resolve();
  };
  call(
    {
      track: (n, userId) => analytics.track({ userId, event: 'Trailer Muted', properties: { n } }, done),
      page: (n, userId) =>
        analytics.page({ userId, name: 'Home', properties: { url: `https://example.com/${n}` } }, done),
      screen: (n, userId) => analytics.screen({ userId, name: 'Player', properties: { n } }, done),
      identify: (_, userId) => analytics.identify({ userId, traits: { plan: 'family' } }, done),
      group: (n, userId) => analytics.group({ userId, groupId: `group-${n}` }, done),
      alias: (n, userId) => analytics.alias({ userId, previousId: `before-${n}` }, done),
    },
    first,
  );
  await expectExactlyOnce(first, sending);
  expect(failed).toEqual([]);
}, 400_000);

const isWanted = python !== null || process.env.CI !== undefined;

test.skipIf(!isWanted).each([
  ['segment', 2_000],
  ['rudderstack', 3_000],
] as const)(
  'the SDK of %s for Python, compressed',
  async (sdk, first) => {
    expect(python).not.toBeNull();
    const child = Bun.spawn(
      [python!, join(import.meta.dir, '../segment/send.py'), sdk, front.url, key, String(first), String(calls)],
      { stdout: 'inherit', stderr: 'inherit' },
    );
    await expectExactlyOnce(first, child.exited);
    expect(await child.exited).toBe(0);
  },
  400_000,
);

test('a key that does not count is refused in a way each of them gives up on', async () => {
  const refused = new Analytics({ writeKey: `${key}x`, host: ugc.url, flushAt: 1 });
  const failed = Promise.withResolvers<unknown>();
  refused.on('error', failed.resolve);
  refused.track({ userId: 'nobody', event: 'x' });
  expect(await failed.promise).toMatchObject({ reason: { message: expect.stringContaining('401') } });
  if (python === null) return;
  for (const sdk of ['segment', 'rudderstack']) {
    const send = [python, join(import.meta.dir, '../segment/send.py'), sdk, ugc.url, `${key}x`, '9000', '1'];
    const child = Bun.spawn(send, { stdout: 'ignore', stderr: 'pipe' });
    expect(await child.exited).toBe(1);
    expect(await new Response(child.stderr).text()).toContain('unauthorized');
  }
}, 120_000);

test('a mapping makes tracks events of a type; one that names what is not there ends the start in words', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'mapping.jsonc');
  await Bun.write(
    file,
    '{ "track": { "Product Added": { "type": "cart_add", "fields": { "product_id": "item_id" } } } } // ours',
  );
  const mapped = await startUgc({ dataDir: folder, flags: [`--segment-mapping=${file}`] });
  const body = { userId: '7', event: 'Product Added', properties: { product_id: 4711 } };
  expect(await (await mapped.post(body, '/segment/v1/track')).text()).toBe('{"success":true}');
  await drained(mapped);
  expect(await mapped.query('SELECT user_id, item_id FROM ugc.cart_add')).toMatchObject([
    { item_id: expect.anything() },
  ]);
  expect(await mapped.stop()).toBe(0);
  await Bun.write(file, '{ "track": { "Product Added": { "type": "cart_ad" } } }');
  const refused = await runUgc([`--segment-mapping=${file}`, '--port=0', '--role=ingest', `--data-dir=${folder}`]);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no event type cart_ad') });
}, 120_000);
