// Limits over the real front: what is let in, what is refused before its body is read, and what a sender is told.

import { afterAll, describe, expect, test } from 'bun:test';
import { admitBy } from '../../../../src/door/admit.ts';
import { type LimitsOptions, limited, networkOf } from '../../../../src/door/limits/limits.ts';
import { ratesOf } from '../../../../src/door/limits/rate.ts';
import { PipelineError } from '../../../../src/errors.ts';
import { problem } from '../../../../src/http/answer.ts';
import { arrivalOf } from '../../../../src/http/arrival.ts';
import { type Admit, admitEverybody, type Caller } from '../../../../src/http/route.ts';
import type { Server } from '../../../../src/http/server.ts';
import { click } from '../../../support/edge.ts';
import { startEdgeServer } from '../../../support/edge-server.ts';
import { memoryLog } from '../../../support/memory-log.ts';

const event = { ...click, timestamp: new Date().toISOString() };
const started: Server[] = [];
afterAll(() => Promise.all(started.map(server => server.stop())));

const callers: Readonly<Record<string, Caller>> = {
  shop: { name: 'shop', id: 'shop' },
  app: { name: 'app', id: 'app', perSecond: 2 },
  free: { name: 'free', id: 'free', perSecond: 0 },
};
const byName: Admit = ({ request }) => {
  const caller = callers[request.headers.get('x-api-key') ?? ''];
  return caller === undefined
    ? { ok: false, answer: problem(new PipelineError('unauthorized')) }
    : { ok: true, caller };
};

function start(options: Partial<LimitsOptions>) {
  const clock = { ms: 5_000 };
  const rates = () => ratesOf({ burstMs: 2_000, clientsMax: 1_000, now: () => clock.ms });
  const refused: string[] = [];
  const log = memoryLog();
  const admit = limited({
    admit: byName,
    callerPerSecond: 0,
    callers: rates(),
    addressPerSecond: 0,
    addresses: rates(),
    onRefused: (of, who) => refused.push(`${of} ${who}`),
    ...options,
  });
  const server = startEdgeServer({ log, admit, isTrusted: () => true });
  started.push(server);
  const post = (key: string, count = 1, address = '192.0.2.1') =>
    fetch(`http://127.0.0.1:${server.port}/v1/events`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'x-forwarded-for': address },
      body: JSON.stringify(count === 1 ? event : Array(count).fill(event)),
    });
  const statuses = async (key: string, times: number, address?: string): Promise<number[]> => {
    const seen: number[] = [];
    for (let time = 0; time < times; time++) seen.push((await post(key, 1, address)).status);
    return seen;
  };
  return { clock, log, refused, post, statuses };
}

const fieldsOf = ({ headers }: Response): Record<string, string> =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith('ratelimit') || name === 'retry-after'));

describe('of a caller', () => {
  test('as many as a second brings, and what the bucket holds; others go on', async () => {
    const { clock, statuses, log, refused } = start({ callerPerSecond: 1 });
    expect(await statuses('shop', 4)).toEqual([200, 200, 429, 429]);
    expect(await statuses('free', 4)).toEqual([200, 200, 200, 200]);
    expect(await statuses('app', 5)).toEqual([200, 200, 200, 200, 429]); // a rate of its own
    clock.ms += 1_000;
    expect(await statuses('shop', 2)).toEqual([200, 429]);
    expect(refused).toEqual(
      ['the key "shop"', 'the key "shop"', 'the key "app"', 'the key "shop"'].map(who => `caller ${who}`),
    );
    expect(log.published).toHaveLength(11);
  });

  test('each event of a body counts, and nobody is refused in the middle of one', async () => {
    const { clock, post, statuses } = start({ callerPerSecond: 1 });
    expect((await post('shop', 5)).status).toBe(200);
    const refused = await post('shop');
    expect([refused.status, fieldsOf(refused)]).toEqual([
      429,
      {
        'retry-after': '4',
        'ratelimit-policy': '"caller";q=2;w=2',
        ratelimit: '"caller";r=0;t=5',
        'ratelimit-limit': '2',
        'ratelimit-remaining': '0',
        'ratelimit-reset': '5',
      },
    ]);
    expect(await refused.json()).toMatchObject({
      type: 'urn:ugc:problem:rate-limited',
      detail: 'the key "shop" sends more than it may, 2 events in 2 s: try again in 4 s',
    });
    clock.ms += 3_999;
    expect(await statuses('shop', 1)).toEqual([429]);
    clock.ms += 1;
    expect(await statuses('shop', 1)).toEqual([200]);
  });

  test('an answer tells once less than half is left', async () => {
    const { post } = start({ callerPerSecond: 2 });
    const told: unknown[] = [];
    for (let time = 0; time < 4; time++) told.push(fieldsOf(await post('shop')).ratelimit);
    expect(told).toEqual([undefined, undefined, '"caller";r=1;t=2', '"caller";r=0;t=2']);
  });
});

describe('of an address', () => {
  test('whoever it says it is, before that is asked', async () => {
    const { statuses, refused } = start({ addressPerSecond: 1 });
    expect(await statuses('nobody', 3)).toEqual([401, 401, 429]);
    expect(await statuses('shop', 1)).toEqual([429]);
    expect(await statuses('shop', 3, '192.0.2.2')).toEqual([200, 200, 429]);
    expect(refused).toEqual(['address 192.0.2.1', 'address 192.0.2.1', 'address 192.0.2.2']);
  });

  test('each event counts, against the caller as well', async () => {
    const { post } = start({ addressPerSecond: 10, callerPerSecond: 1 });
    await post('shop', 5);
    expect(fieldsOf(await post('free', 5)).ratelimit).toBeUndefined();
    expect(fieldsOf(await post('free')).ratelimit).toBe('"address";r=9;t=2');
    expect(await (await post('shop')).text()).toContain('the key');
  });

  test('of everybody where no key is asked for', async () => {
    const { statuses, log } = start({ admit: admitEverybody, addressPerSecond: 1, callerPerSecond: 1 });
    expect(await statuses('', 3)).toEqual([200, 200, 429]);
    expect(await statuses('', 3, '2001:db8::1')).toEqual([200, 200, 429]);
    expect(await statuses('', 1, '2001:db8::2')).toEqual([429]); // of the same network
    expect(await statuses('', 1, '2001:db8:0:1::2')).toEqual([200]);
    expect(log.published).toHaveLength(5);
  });
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8:1:2::', '2001:db8:1:2::/64'],
  ['2001:db8:1::5:6:7:8', '2001:db8:1:0::/64'],
  ['1::3:4:5:6:7:8', '1:0:3:4::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['::2:3:4:5:6:7:8', '0:2:3:4::/64'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ['', ''],
])('%s is of the network %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test('what is for everybody counts against its address, and asks nobody who it is', async () => {
  const rates = () => ratesOf({ burstMs: 2_000, clientsMax: 1_000, now: () => 5_000 });
  const admit = limited({
    admit: admitBy({ byKey: () => ({ ok: false, answer: problem(new PipelineError('unauthorized')) }) }),
    callerPerSecond: 1,
    callers: rates(),
    addressPerSecond: 1,
    addresses: rates(),
    onRefused: () => {},
  });
  const request = new Request('http://test/v1/films/a');
  const ask = (address: string) => admit({ request, params: {}, arrival: arrivalOf(request), address }, null);
  const asked = await Promise.all([1, 2, 3].map(() => ask('192.0.2.1')));
  expect(asked.map(({ ok }) => ok)).toEqual([true, true, false]);
  expect(await ask('192.0.2.2')).toMatchObject({ ok: true, caller: { name: '' } });
});
