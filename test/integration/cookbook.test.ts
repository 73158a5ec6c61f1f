// The queries of docs/use/cookbook.md, as they stand there, on made data with known answers. Some events are sent twice, and
// some people are anonymous; one rests for exactly half an hour, one event lies at the border of a week.

import { beforeAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogue } from '../../schemas/catalogue.ts';
import { rejectionsTable, rejectionsType } from '../../schemas/rejections.ts';
import { tableOf } from '../../schemas/table.ts';
import { judgeOf } from '../../src/catalogue/judge.ts';
import type { Sink } from '../../src/ports/sink.ts';
import { judgeOptions, nowMs, originOf } from '../support/edge.ts';
import { engineInTest } from '../support/engine-in-test.ts';
import { blockOf } from '../support/rows.ts';

const page = readFileSync(join(import.meta.dir, '../../docs/use/cookbook.md'), 'utf8');
/** Heading → query. */
const queries = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .flatMap(part => {
      const title = part.slice(0, part.indexOf('\n'));
      return [...part.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, query]) => [title, query!] as const);
    }),
);

/** Saturday 2026-11-21 12:00, when `now()` is asked for. */
const present = "toDateTime('2026-11-21 12:00:00', 'UTC')";

const own = engineInTest();
let db: string;
let ids = 0;
const common = { country: 'US', device: 'mobile' };
const at = (type: string, timestamp: string, more: object) => ({ event_type: type, timestamp, ...common, ...more });
const view = (timestamp: string, who: object, path = '/') =>
  at('page_view', timestamp, { ...who, page_url: `https://example.com${path}` });
const ann = { user_id: 'ann' };
const bob = { user_id: 'bob', anonymous_id: 'before bob' };
const visitor = { anonymous_id: 'v' };

const events = [
  // ann: two weeks, one event in the last moment of a Sunday
  view('2026-11-10T10:00:00Z', ann, '/a'),
  view('2026-11-15T23:59:59.999Z', ann, '/a'),
  view('2026-11-16T00:00:00Z', ann, '/b'),
  // bob: one session with exactly 30 minutes of rest in it, and another after a millisecond more
  view('2026-11-20T10:00:00.000Z', bob, '/a'),
  view('2026-11-20T10:30:00.000Z', bob, '/a'),
  view('2026-11-20T11:00:00.001Z', bob, '/b'),
  // somebody without a name, and somebody without anything
  view('2026-11-20T12:00:00Z', visitor, '/a'),
  view('2026-11-20T12:00:00Z', {}, '/a'),
  at('film_opened', '2026-11-20T13:00:00Z', { ...ann, video_id: 'f1', position: 0, duration: 100 }),
  at('film_watched', '2026-11-20T14:00:00Z', { ...ann, video_id: 'f1', duration: 100 }),
  at('film_opened', '2026-11-20T13:00:00Z', { ...bob, video_id: 'f1', position: 0, duration: 100 }),
  at('film_opened', '2026-11-18T13:00:00Z', { ...visitor, video_id: 'f2', position: 0, duration: 100 }),
  at('film_watched', '2026-11-19T13:00:00.001Z', { ...visitor, video_id: 'f2', duration: 100 }), // a day later, and more
  at('film_progress', '2026-11-20T13:30:00Z', { ...ann, video_id: 'f1', position: 50, duration: 100, share: 0.5 }),
  at('film_closed', '2026-11-20T14:00:00Z', { ...ann, video_id: 'f1', position: 100, duration: 100, share: 1 }),
  at('film_progress', '2026-11-20T13:30:00Z', { ...bob, video_id: 'f1', position: 20, duration: 100, share: 0.2 }),
].map(event => ({ ...event, event_id: `0190a000-0000-7000-8000-${String(++ids).padStart(12, '0')}` }));

/** Two minutes of one mistake, another of a week before, and a body. */
const rejected = [
  ['2026-11-21T11:00:00Z', 'event', 'click', 'invalid', '/element', 3, '{"element":"<number>"}'],
  ['2026-11-21T11:01:00Z', 'event', 'click', 'invalid', '/element', 4, '{"element":null}'],
  ['2026-11-14T11:59:59Z', 'event', 'click', 'too_old', '/timestamp', 100, '{}'],
  ['2026-11-21T11:00:00Z', 'body', '(unknown)', 'not_json', '', 2, ''],
].map(([timestamp, what, type, reason, path, count, example], at) => {
  const event_id = `0190a000-0000-7000-8000-${String(900 + at).padStart(12, '0')}`;
  const stamp = { event_id, event_type: rejectionsType, schema_version: 1, received_at: timestamp, timestamp };
  const instance = event_id;
  const own = { instance, what, type, reason, path, source: 'shop', rejected: count, example };
  return `${JSON.stringify({ ...stamp, ...own })}\n`;
});

const judge = judgeOf(judgeOptions);

async function insert(sink: Sink, some: readonly object[], token: string): Promise<void> {
  const judged = some.map(event => {
    const verdict = judge(event, originOf({ receivedAtMs: nowMs }));
    if (!verdict.ok) throw new Error(JSON.stringify(verdict));
    return verdict.envelope;
  });
  for (const [type, of] of Map.groupBy(judged, envelope => envelope.type))
    await sink.insert(
      blockOf(
        type,
        of.map(({ body }) => `${body}\n`),
      ),
      `${token} ${type}`,
      new AbortController().signal,
    );
}

beforeAll(async () => {
  const prepared = await own.prepared([...catalogue.types.map(tableOf), rejectionsTable]);
  db = prepared.db;
  await insert(prepared.sink, events, 'once');
  await insert(prepared.sink, events.slice(0, 8), 'again');
  for (const token of ['rejections', 'rejections again'])
    await prepared.sink.insert(blockOf(rejectionsType, rejected), token, new AbortController().signal);
});

const answers: Readonly<Record<string, readonly string[]>> = {
  'Daily active people': [
    '2026-11-10\t1',
    '2026-11-15\t1',
    '2026-11-16\t1',
    '2026-11-18\t1',
    '2026-11-19\t1',
    '2026-11-20\t3',
  ],
  'Weekly active people': ['2026-11-09\t1', '2026-11-16\t3'],
  'Top pages': ['https://example.com/a\t6\t3', 'https://example.com/b\t2\t2'],
  'Funnel: opened, then watched': ['f1\t2\t1', 'f2\t1\t0'],
  'Retention by week': ['2026-11-09\t0\t1', '2026-11-09\t1\t1', '2026-11-16\t0\t2'],
  Sessions: [
    'ann\t2026-11-15 23:59:59.999\t2026-11-16 00:00:00.000\t2',
    'ann\t2026-11-20 13:00:00.000\t2026-11-20 14:00:00.000\t4',
    'bob\t2026-11-20 10:00:00.000\t2026-11-20 10:30:00.000\t2',
    'bob\t2026-11-20 11:00:00.001\t2026-11-20 11:00:00.001\t1',
    'bob\t2026-11-20 13:00:00.000\t2026-11-20 13:30:00.000\t2',
    'v\t2026-11-18 13:00:00.000\t2026-11-18 13:00:00.000\t1',
    'v\t2026-11-19 13:00:00.001\t2026-11-19 13:00:00.001\t1',
    'v\t2026-11-20 12:00:00.000\t2026-11-20 12:00:00.000\t1',
  ],
  'Watch share by film': ['f1\t2\t0.6'],
  'What senders lose': ['shop\tclick\tinvalid\t/element\t7\t{"element":null}', 'shop\t(unknown)\tnot_json\t\t2'],
};

test('each query of the page has an answer here, and each answer a query there', () => {
  expect([...queries.keys()].toSorted()).toEqual(Object.keys(answers).toSorted());
});

test.each(Object.entries(answers))('%s', async (title, rows) => {
  const query = queries.get(title)!.replaceAll('now()', present);
  const { bytes } = await own.engine.query(query, { database: db });
  expect(bytes.toString().trim().split('\n')).toEqual([...rows]);
});
