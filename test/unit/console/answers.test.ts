// What the console says, over tables and a buffer that the test makes up: the real ones are in test/e2e/console.test.ts.

import { describe, expect, test } from 'bun:test';
import { catalogue } from '../../../schemas/catalogue.ts';
import { judgeOf } from '../../../src/catalogue/judge.ts';
import { edgeReasons } from '../../../src/catalogue/rejection.ts';
import { consoleTypes } from '../../../src/console/catalogue.ts';
import { consoleOverview, eventsUrlOf, type Place } from '../../../src/console/overview.ts';
import { consoleQuery } from '../../../src/console/query.ts';
import { mendOf } from '../../../src/console/rejected.ts';
import { eventStory, type StoryOptions } from '../../../src/console/story.ts';
import { PipelineError } from '../../../src/errors.ts';
import type { BufferedEvent } from '../../../src/ports/buffer.ts';
import type { FreeQuery } from '../../../src/ports/shown-tables.ts';
import { judgeOptions, nowMs, originOf } from '../../support/edge.ts';

const never = new AbortController().signal;

describe('the catalogue', () => {
  const { types } = consoleTypes({
    catalogue: () => catalogue,
    topicOf: type => `t.${type}`,
    database: 'db',
    now: () => nowMs,
  });

  test('has every type, with an example that is accepted as it stands', () => {
    expect(types.map(({ type }) => type)).toEqual(catalogue.types.map(({ name }) => name));
    const judge = judgeOf(judgeOptions);
    for (const { type, example } of types)
      expect({ type, ok: judge(structuredClone(example), originOf()).ok }).toEqual({ type, ok: true });
  });

  test('says of each field whether it is required, and where the events go', () => {
    const click = types.find(({ type }) => type === 'click');
    expect(click).toMatchObject({ table: 'db.click', topic: 't.click' });
    expect(click?.fields.find(({ name }) => name === 'element')).toMatchObject({ kind: 'text', required: true });
    expect(click?.fields.find(({ name }) => name === 'user_id')).toMatchObject({ required: false });
  });
});

describe('what a sender should do', () => {
  test('is said for every reason there is', () => {
    for (const reason of [...edgeReasons, 'bad_request', 'unsupported_media_type', 'body_timeout', '(other)'])
      expect(mendOf({ type: '(unknown)', reason, path: '' }, catalogue)).toMatch(/^[A-Z].{15,}\.$/);
  });

  test('names the field and what it takes', () => {
    const mend = (path: string) => mendOf({ type: 'click', reason: 'invalid', path }, catalogue);
    expect(mend('/element')).toBe('Send as element text of at most 1024 characters; it is required.');
    expect(mend('/timestamp')).toContain('ISO 8601');
    expect(mend('/event_id')).toContain('UUID');
    expect(mend('(unknown)')).toContain('properties');
    expect(mend('/__proto__')).toContain('The answer to its sender');
  });
});

describe('the overview', () => {
  const place = (more: Partial<Place>): Place => ({
    id: 'in',
    name: 'x',
    isHere: true,
    to: [],
    problems: () => ({}),
    ...more,
  });
  const overview = (places: readonly Place[], hasEvents = false) =>
    consoleOverview(
      {
        version: '1',
        commit: 'c',
        roles: [],
        auth: 'none',
        may_act: false,
        places,
        upMs: () => 61_999,
        hasEvents: async () => hasEvents,
        eventsUrl: () => '/v1/events',
      },
      new Request('http://x/'),
    );

  test('tells how each part is; of what is not here nothing is known', async () => {
    const { flow, up_seconds, is_empty } = await overview([
      place({}),
      place({ id: 'tables', problems: () => ({ click: 'no such column', clickhouse: 'away' }) }),
      place({ id: 'buffer', isWaiting: async () => true }),
      place({ id: 'archive', isHere: false, problems: () => ({ a: 'of another' }) }),
    ]);
    expect({ up_seconds, is_empty }).toEqual({ up_seconds: 61, is_empty: true });
    expect(flow.map(({ id, state, problem }) => [id, state, problem])).toEqual([
      ['in', 'ok', ''],
      ['tables', 'failing', 'no such column; away'],
      ['buffer', 'waiting', ''],
      ['archive', 'absent', ''],
    ]);
    expect((await overview([], true)).is_empty).toBe(false);
  });

  test('events are posted where the page is, or at the port they have', () => {
    const url = (headers: Record<string, string>, port: number | null = null) =>
      eventsUrlOf({ headers: new Headers(headers) } as Request, { scheme: 'http', port });
    expect(url({ host: 'ugc.example:9000' })).toBe('http://ugc.example:9000/v1/events');
    expect(url({ host: 'ugc.example:9000' }, 8080)).toBe('http://ugc.example:8080/v1/events');
    expect(url({ host: '[::1]:9000' }, 8080)).toBe('http://[::1]:8080/v1/events');
    expect(url({ host: 'ugc.example', 'x-forwarded-proto': 'https, http' })).toBe('https://ugc.example/v1/events');
    expect(url({ host: 'ugc.example', 'x-forwarded-proto': 'javascript' })).toBe('http://ugc.example/v1/events');
    for (const host of ['', 'a b', '"><script>', 'a/b', 'a@b', 'x:y']) expect(url({ host })).toBe('/v1/events');
  });
});

describe('a query', () => {
  const asking = (ask: FreeQuery['ask']) => {
    const query = consoleQuery({ ask });
    return (sql: unknown) => query({ sql }, never);
  };
  const one: FreeQuery['ask'] = async () => ({ columns: [{ name: 'n', type: 'UInt8' }], rows: [[1]] });

  test('is one that reads, however it begins', async () => {
    for (const sql of [
      'SELECT 1',
      ' \n select 1',
      'WITH 1 AS x SELECT x',
      '-- a word\nSHOW TABLES',
      '/* DROP */ DESCRIBE t',
      '((SELECT 1))',
      'EXPLAIN SELECT 1',
    ])
      expect(await asking(one)(sql)).toMatchObject({ rows: [[1]], cut: false });
    for (const sql of [
      '',
      ' ',
      'DROP TABLE t',
      'INSERT INTO t SELECT 1',
      '-- SELECT 1',
      '/* SELECT 1',
      'selection',
      1,
      null,
      undefined,
      {},
      ['SELECT 1'],
      `SELECT ${'1'.repeat(70_000)}`,
    ])
      await expect(asking(one)(sql)).rejects.toMatchObject({ code: 'bad_request' });
  });

  test('is cut at ten thousand rows, and says so', async () => {
    const rows =
      (n: number): FreeQuery['ask'] =>
      async () => ({ columns: [], rows: Array.from({ length: n }, () => [1]) });
    expect((await asking(rows(10_000))('SELECT 1')).cut).toBe(false);
    const cut = await asking(rows(10_001))('SELECT 1');
    expect({ rows: cut.rows.length, cut: cut.cut }).toEqual({ rows: 10_000, cut: true });
  });

  test('two run at once; one that fails leaves its place', async () => {
    const waiting: PromiseWithResolvers<never>[] = [];
    const query = asking(() => {
      const asked = Promise.withResolvers<never>();
      waiting.push(asked);
      return asked.promise;
    });
    const [first, second] = [query('SELECT 1'), query('SELECT 2')];
    await expect(query('SELECT 3')).rejects.toMatchObject({ code: 'overloaded' });
    waiting[0]!.reject(new PipelineError('bad_request', 'no'));
    await expect(first).rejects.toMatchObject({ message: 'no' });
    const rest = Promise.allSettled([second, query('SELECT 4')]);
    for (const { reject } of waiting) reject(new PipelineError('bad_request', 'no'));
    expect((await rest).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(waiting).toHaveLength(3);
  });
});

describe('the way of an event', () => {
  const id = '0190a000-0000-7000-8000-000000000001';
  const atMs = Date.UTC(2026, 0, 2);
  const at = new Date(atMs).toISOString();
  const row = { type: 'click', table: 'ugc.click', row: { event_id: id }, copies: 2, receivedAtMs: atMs };
  const buffered: BufferedEvent = { id, topic: 't', type: 'click', position: 1, atMs, body: '{"a":1}', setAside: null };
  const letter = {
    topic: 't',
    partition: 0,
    position: 7,
    index: 0,
    log: '',
    reason: 'invalid',
    detail: 'no',
    failedAtMs: atMs,
    raw: Buffer.from('{"b":'),
  };
  const story = (more: {
    readonly told?: ReturnType<StoryOptions['told']>;
    readonly rows?: readonly (typeof row)[];
    readonly letters?: readonly (typeof letter)[];
    readonly events?: readonly BufferedEvent[];
    readonly broker?: string;
  }) =>
    eventStory(
      {
        tables: { trace: async () => ({ rows: more.rows ?? [], letters: (more.letters ?? []) as never }) },
        buffer: { find: async () => ({ events: more.events ?? [], isWhole: true }) },
        told: () => more.told ?? [],
        broker: more.broker ?? null,
      },
      id,
      never,
    );
  const stepsOf = async (more: Parameters<typeof story>[0]) =>
    (await story(more)).steps.map(({ step, done }) => `${step} ${done ? 'done' : 'open'}`);

  test('goes on step by step', async () => {
    expect(await stepsOf({})).toEqual(['accepted open', 'log open', 'row open']);
    const told = [{ outcome: 'disk', atMs }];
    expect(await stepsOf({ told })).toEqual(['accepted done', 'log done', 'row open']);
    expect(await stepsOf({ events: [buffered] })).toEqual(['accepted done', 'log done', 'row open']);
    expect(await stepsOf({ rows: [row] })).toEqual(['accepted done', 'log done', 'row done']);
    expect(await story({ rows: [row] })).toMatchObject({ row: row.row, table: 'ugc.click', copies: 2, bytes: null });
  });

  test('with a broker the disk is a step of those that were there', async () => {
    const broker = 'Kafka';
    expect(await stepsOf({ broker, told: [{ outcome: 'kafka', atMs }] })).toEqual([
      'accepted done',
      'log done',
      'row open',
    ]);
    expect(await stepsOf({ broker, told: [{ outcome: 'disk', atMs }], events: [buffered] })).toEqual([
      'accepted done',
      'buffer done',
      'log open',
      'row open',
    ]);
    expect(await stepsOf({ broker, told: [{ outcome: 'disk', atMs }], rows: [row] })).toEqual([
      'accepted done',
      'buffer done',
      'log done',
      'row done',
    ]);
  });

  test('ends in a dead letter, with its bytes, or before it began', async () => {
    const dead = await story({ letters: [letter] });
    expect(dead.steps.at(-1)).toEqual({ step: 'dead_letter', done: true, at, words: 't/0/7: invalid, no' });
    expect(dead.bytes).toBe('{"b":');
    const refused = await story({ told: [{ outcome: { reason: 'invalid' }, atMs }] });
    expect(refused.steps[0]).toEqual({ step: 'accepted', done: false, at, words: 'not taken: invalid' });
    const aside = await story({ events: [{ ...buffered, setAside: 'too large for the broker' }] });
    expect(aside.steps[1]?.words).toContain('too large for the broker');
    expect(aside.bytes).toBe('{"a":1}');
  });

  test('a place that cannot be asked is named, and keeps no other from being asked', async () => {
    const found = await eventStory(
      {
        tables: { trace: () => Promise.reject(new PipelineError('sink_unknown', 'away')) },
        buffer: { find: async () => ({ events: [buffered], isWhole: false }) },
        told: () => [],
        broker: null,
      },
      id.toUpperCase(),
      never,
    );
    expect(found).toMatchObject({
      event_id: id,
      bytes: '{"a":1}',
      unasked: { clickhouse: 'away', disk: expect.any(String) },
    });
    for (const wrong of ['', 'x', `${id}0`, '00000000-0000-0000-0000-000000000000', `{${id}}`])
      await expect(
        eventStory(
          { tables: { trace: async () => ({ rows: [], letters: [] }) }, buffer: null, told: () => [], broker: null },
          wrong,
          never,
        ),
      ).rejects.toMatchObject({ code: 'bad_request' });
  });
});
