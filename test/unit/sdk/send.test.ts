// The way to the server: what each answer does to what waits.

import { expect, test } from 'bun:test';
import { queueOf } from '../../../sdk/src/queue.ts';
import { resultsOf, senderOf } from '../../../sdk/src/send.ts';
import { storeOf } from '../../../sdk/src/store.ts';
import { until } from '../../support/until.ts';

interface Sent {
  readonly sent_at: number;
  readonly events: readonly { readonly n: number }[];
}

const accepted = (count: number) => ({ results: Array(count).fill({ outcome: 'accepted' }) });
const takesAll = ({ events }: Sent): Response => Response.json(accepted(events.length));

/** A sender whose server answers with these, in turn, and at last takes everything. */
function sending(answers: readonly ((sent: Sent) => Response | Promise<Response>)[], batchEvents = 50) {
  const sent: number[][] = [];
  const bodies: Sent[] = [];
  const dropped: string[] = [];
  const beacons: number[][] = [];
  const clock = { ms: 0 };
  const left = [...answers];
  const numbersIn = (body: string): number[] => (JSON.parse(body) as Sent).events.map(({ n }) => n);
  const drop = ({ eventJson }: { eventJson: string }, why: string) =>
    void dropped.push(`${JSON.parse(eventJson).n} ${why}`);
  const queue = queueOf({ store: storeOf(undefined, '', () => clock.ms), eventsMax: 1_000, drop });
  const sender = senderOf({
    queue,
    drop,
    batchEvents,
    batchMs: 60_000_000,
    now: () => clock.ms,
    async post(body) {
      bodies.push(JSON.parse(body));
      sent.push(numbersIn(body));
      return (left.shift() ?? takesAll)(JSON.parse(body));
    },
  });
  return {
    sent,
    bodies,
    dropped,
    beacons,
    clock,
    sender,
    add(...numbers: number[]) {
      for (const n of numbers) queue.add({ id: String(n), eventJson: `{"n":${n}}` });
      sender.added();
    },
    waiting: () => queue.batch(1_000).map(({ id }) => Number(id)),
    leave: (isTaken: boolean) =>
      sender.leave(body => {
        beacons.push(numbersIn(body));
        return isTaken;
      }),
  };
}

const status =
  (code: number, headers: Record<string, string> = {}, body: unknown = {}) =>
  () =>
    Response.json(body, { status: code, headers });

test('a batch is full when it is, and leaves at once; the rest follows', async () => {
  const { add, sent, waiting, sender, bodies } = sending([], 3);
  add(1, 2);
  expect(sent).toEqual([]);
  add(3, 4);
  await sender.flush();
  expect(sent).toEqual([[1, 2, 3], [4]]);
  expect(waiting()).toEqual([]);
  expect(Math.abs(bodies[0]!.sent_at - Date.now())).toBeLessThan(600_000);
});

test('what the answer says of each counts for each', async () => {
  const results = [
    { outcome: 'accepted' },
    { outcome: 'rejected', reason: 'invalid', errors: [{ path: '/element', message: 'expected string' }] },
    { outcome: 'failed', reason: 'buffer_full', retry: true },
    { outcome: 'dropped', rule: 'own-traffic' },
    { outcome: 'of a later version' },
  ];
  const { add, dropped, waiting, sender, sent } = sending([status(207, {}, { results })]);
  add(1, 2, 3, 4, 5);
  await sender.flush();
  expect(dropped).toEqual(['2 invalid /element expected string']);
  expect(waiting()).toEqual([3, 5]);
  await sender.flush();
  expect(sent.at(-1)).toEqual([3, 5]);
  expect(waiting()).toEqual([]);
});

test('no answer, a busy server and a portal that says 200 lose nothing and repeat nothing that was told of', async () => {
  const offLine = () => Promise.reject(new TypeError('Failed to fetch'));
  const odd: readonly unknown[] = [null, 5, 'text', [], { results: 'ab' }, { results: [null, null] }, { results: [] }];
  const ways = [
    offLine,
    ...[408, 429, 500, 502, 503, 302].map(code => status(code)),
    () => new Response('<html>Log in', { status: 200 }),
    ...odd.map(body => status(200, {}, body)),
  ];
  const { add, dropped, waiting, sender, sent } = sending(ways);
  add(1, 2);
  for (const _ of ways) {
    await sender.flush();
    expect(waiting()).toEqual([1, 2]);
  }
  await sender.flush();
  expect(waiting()).toEqual([]);
  expect(dropped).toEqual([]);
  expect(sent).toHaveLength(ways.length + 1);
});

test('a refusal for good is told of, and what is tracked after it is sent', async () => {
  const { add, dropped, waiting, sender } = sending([
    status(403, {}, { detail: 'pages of https://shop.example may not send here' }),
    status(404),
  ]);
  add(1, 2);
  await sender.flush();
  add(3);
  await sender.flush();
  add(4);
  await sender.flush();
  const why = 'pages of https://shop.example may not send here';
  expect(dropped).toEqual([`1 ${why}`, `2 ${why}`, '3 404']);
  expect(waiting()).toEqual([]);
});

test('a batch that is too large is halved until it fits; an event that never fits is told of', async () => {
  const holds = (most: number) => (sent: Sent) => (sent.events.length > most ? status(413)() : takesAll(sent));
  const { add, sent, dropped, waiting, sender } = sending(Array(5).fill(holds(2)), 8);
  add(1, 2, 3, 4, 5, 6, 7, 8);
  await sender.flush();
  expect(sent.slice(0, 5).map(({ length }) => length)).toEqual([8, 4, 2, 2, 2]);
  expect([waiting(), dropped]).toEqual([[], []]);
  const never = sending([status(413), status(413)]);
  never.add(1, 2);
  await never.sender.flush();
  expect([never.dropped, never.sent, never.waiting()]).toEqual([['1 413'], [[1, 2], [1], [2]], []]);
});

test('Retry-After is kept, in seconds and as a date, however often it is asked for before', async () => {
  for (const header of ['7', new Date(Date.now() + 7_900).toUTCString()]) {
    const { add, sent, sender, clock, waiting } = sending([status(503, { 'retry-after': header })]);
    add(1);
    await sender.flush();
    clock.ms = 5_000;
    await sender.flush();
    expect(sent).toHaveLength(1);
    expect(waiting()).toEqual([1]);
    clock.ms = 8_000;
    await sender.flush();
    expect(sent).toHaveLength(2);
    expect(waiting()).toEqual([]);
  }
});

test('a Retry-After of nonsense, of the past and of years does not stop it for ever', async () => {
  for (const header of ['soon', '-5', new Date(0).toUTCString(), '99999999999', 'Infinity']) {
    const { add, sender, clock, waiting } = sending([status(429, { 'retry-after': header })]);
    add(1);
    await sender.flush();
    clock.ms = 86_400_001;
    await sender.flush();
    expect(waiting()).toEqual([]);
  }
});

test('one batch is under way at a time, whoever asks', async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  const { add, sent, sender } = sending([() => promise], 2);
  add(1, 2, 3);
  const flushes = [sender.flush(), sender.flush()];
  add(4);
  expect(sent).toEqual([[1, 2]]);
  resolve(Response.json(accepted(2)));
  await Promise.all(flushes);
  expect(sent).toEqual([
    [1, 2],
    [3, 4],
  ]);
});

test('what a beacon has taken stays until it is answered, and goes with one only', async () => {
  const { add, leave, beacons, waiting, sender, sent } = sending([]);
  add(1);
  leave(true);
  add(2);
  leave(true);
  leave(true);
  expect(beacons).toEqual([[1], [2]]);
  expect(waiting()).toEqual([1, 2]);
  await sender.flush();
  expect(sent).toEqual([[1, 2]]);
  expect(waiting()).toEqual([]);
});

test('where the browser takes no beacon a request goes in its place, and its answer counts', async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  const { add, leave, waiting, sent } = sending([() => promise]);
  add(1);
  leave(false);
  expect(sent).toEqual([[1]]);
  resolve(Response.json(accepted(1)));
  await until(() => waiting().length === 0, 'the answer to be read');
});

test('an answer tells of each or of none', () => {
  expect(resultsOf(200, { results: [{ outcome: 'accepted' }] }, 2)[0]?.outcome).toBe('failed');
  expect(resultsOf(422, { results: [{ outcome: 'rejected', reason: 'x' }] }, 1)[0]?.reason).toBe('x');
  expect(resultsOf(401, undefined, 2).map(({ outcome }) => outcome)).toEqual(['rejected', 'rejected']);
});
