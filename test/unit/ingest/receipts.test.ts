// Receipts: which place counts, what is told when somebody cannot be asked, that asking is bounded, and that nothing a
// sender wrote comes back.

import { expect, test } from 'bun:test';
import { judgeOf } from '../../../src/catalogue/judge.ts';
import { acceptOf } from '../../../src/ingest/accept.ts';
import { type ReceiptsOptions, receiptsOf } from '../../../src/ingest/receipts.ts';
import { recentOf } from '../../../src/ingest/recent.ts';
import type { FoundInBuffer } from '../../../src/ports/buffer.ts';
import type { EventTables, FoundEvent } from '../../../src/ports/event-tables.ts';
import { click, judgeOptions } from '../../support/edge.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { sharedMetrics as metrics } from '../../support/quiet.ts';

const id = '0193a0f0-0000-7000-8000-000000000001';
const at = '2026-11-22T01:00:00.000Z';
const row: FoundEvent = { id, type: 'click', receivedAt: at, timestamp: at };
const letter = {
  id,
  topic: 'ugc.click',
  partition: 0,
  position: '7',
  index: 0,
  log: '',
  reason: 'invalid',
  failedAt: at,
  replayedAt: null,
} satisfies FoundEvent;
const buffered = { id, topic: 'ugc.click', type: 'click', position: 3, atMs: Date.parse(at), body: 'secret' };

const tablesOf = (...found: FoundEvent[]): EventTables => ({
  present: async () => new Set(),
  find: async ids => found.filter(event => ids.includes(event.id)),
});
const downTables: EventTables = { present: () => Promise.reject(new Error()), find: () => Promise.reject(new Error()) };
const bufferOf = (...events: FoundInBuffer['events']) => ({ find: async () => ({ events, isWhole: true }) });

async function ask(options: Partial<ReceiptsOptions>, asked = id) {
  const receipts = receiptsOf({
    tables: tablesOf(),
    database: 'ugc',
    buffer: bufferOf(),
    recent: recentOf(),
    ...options,
  });
  const { status, body } = await receipts(asked);
  return { status, body: JSON.parse(body), text: body };
}

test('a row counts before a dead letter, that before the buffer', async () => {
  const waiting = bufferOf({ ...buffered, setAside: null });
  const all = await ask({ tables: tablesOf(letter, row), buffer: waiting });
  expect(all.body).toMatchObject({ event_id: id, state: 'stored' });
  expect(all.body.places.map(({ place }: { place: string }) => place)).toEqual(['dead_letters', 'clickhouse', 'disk']);
  expect((await ask({ tables: tablesOf(letter), buffer: waiting })).body.state).toBe('dead');
  expect((await ask({ buffer: waiting })).body.state).toBe('waiting');
  expect((await ask({ buffer: bufferOf({ ...buffered, setAside: 'too large' }) })).body.state).toBe('dead');
  expect((await ask({ tables: tablesOf({ ...letter, replayedAt: at }) })).body.state).toBe('waiting');
});

test('an upper-case id is found, and what is no UUID is 400', async () => {
  expect((await ask({ tables: tablesOf(row) }, id.toUpperCase())).status).toBe(200);
  for (const wrong of ['', 'abc', `${id}'`, '00000000-0000-0000-0000-000000000000'])
    expect((await ask({}, wrong)).status).toBe(400);
});

test('nothing found is 404 when everybody could be asked, and 503 when ClickHouse could not', async () => {
  expect(await ask({})).toMatchObject({ status: 404, body: { type: 'urn:ugc:problem:not-found' } });
  expect(await ask({ tables: downTables })).toMatchObject({
    status: 503,
    body: { type: 'urn:ugc:problem:lookup-failed' },
  });
  const found = await ask({ tables: downTables, buffer: bufferOf({ ...buffered, setAside: null }) });
  expect(found).toMatchObject({ status: 200, body: { state: 'waiting', unasked: ['clickhouse'] } });
});

test('nothing of what was sent, and no words of the reasons, are told', async () => {
  const { text } = await ask({
    tables: tablesOf({ ...letter, detail: 'secret' } as FoundEvent),
    buffer: bufferOf({ ...buffered, setAside: 'secret' }),
  });
  expect(text).not.toContain('secret');
});

test('whoever asks while one look is under way is answered by the next, all of them at once', async () => {
  const asked: (readonly string[])[] = [];
  const first = Promise.withResolvers<void>();
  const tables: EventTables = {
    present: async () => new Set(),
    find: async ids => {
      asked.push(ids);
      await first.promise;
      return ids.map(found => ({ ...row, id: found }));
    },
  };
  const receipts = receiptsOf({ tables, database: 'ugc', buffer: null, recent: recentOf() });
  const ids = Array.from({ length: 40 }, () => crypto.randomUUID());
  const answers = [receipts(ids[0]!), ...ids.map(receipts)];
  first.resolve();
  for (const answer of await Promise.all(answers)) expect(answer.status).toBe(200);
  expect(asked.map(({ length }) => length)).toEqual([1, 32, 8]);
});

test('beyond a bound of waiting ids the answer is 503 at once', async () => {
  const tables: EventTables = { present: async () => new Set(), find: () => new Promise(() => {}) };
  const receipts = receiptsOf({ tables, database: 'ugc', buffer: null, recent: recentOf() });
  for (let count = 0; count < 1_001; count++) void receipts(crypto.randomUUID());
  expect((await receipts(crypto.randomUUID())).status).toBe(503);
});

test('what this instance has taken and refused is known by id for a while', async () => {
  const recent = recentOf({ takenMax: 2, refusedMax: 1 });
  const accept = acceptOf({ judge: judgeOf(judgeOptions), log: memoryLog(), metrics, recent });
  const post = (event: unknown) =>
    accept(
      { isSingle: true, events: [event], sentAt: undefined },
      { receivedAtMs: Date.parse(at), source: '', ip: '', userAgent: '', pathType: null, sentAt: undefined },
    );
  const ids = Array.from({ length: 5 }, () => crypto.randomUUID());
  await post({ ...click, event_id: ids[0] });
  await post({ ...click, event_id: ids[1], element: 5 });
  await post({ event: { ...click, event_id: ids[2]!.toUpperCase(), element: 5 } });
  await post({ ...click, event_id: 'no id at all' });
  await post({ ...click, event_id: ids[3] });
  await post({ ...click, event_id: ids[4] });
  expect(ids.map(known => recent.find(known).map(({ outcome }) => outcome))).toEqual([
    [],
    [],
    [{ reason: 'invalid' }],
    ['disk'],
    ['disk'],
  ]);
  const { body } = await ask({ recent }, ids[2]);
  expect(body).toMatchObject({
    state: 'rejected',
    places: [{ place: 'edge', event_type: 'click', reason: 'invalid' }],
  });
});
