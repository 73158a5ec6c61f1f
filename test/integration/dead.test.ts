// Dead letters after a repair: exactly what fits now becomes a row, once, however often and however broken off.

import { describe, expect, test } from 'bun:test';
import { catalogue } from '../../schemas/catalogue.ts';
import { tableOf } from '../../schemas/table.ts';
import { lettersIn } from '../../src/adapters/clickhouse/ask/letters.ts';
import { derivedId, foreignJudgeOf } from '../../src/catalogue/foreign.ts';
import { replay } from '../../src/dead/replay.ts';
import { PipelineError } from '../../src/errors.ts';
import type { Letters } from '../../src/ports/letters.ts';
import type { DeadLetter, SinkWithDeadLetters } from '../../src/ports/sink.ts';
import { click, film, judgeOptions, nowMs } from '../support/edge.ts';
import { engineInTest } from '../support/engine-in-test.ts';

const own = engineInTest();
const { sql } = own;
const never = new AbortController().signal;

const tables = [click, film].map(({ event_type }) => tableOf(catalogue.find(event_type)!));
async function prepared(): Promise<{
  readonly db: string;
  readonly sink: SinkWithDeadLetters;
  readonly letters: Letters;
}> {
  const { db, client, sink } = await own.prepared(tables);
  return { db, sink, letters: lettersIn(client, db) };
}

/** After the repair: fields a type does not have are dropped instead of refused. */
const judge = foreignJudgeOf({
  ...judgeOptions,
  catalogue,
  unknownFields: 'drop',
  bodyBytesMax: 2 ** 20,
  now: () => nowMs,
});

const letterOf = (position: number, value: unknown, changes: Partial<DeadLetter> = {}): DeadLetter => ({
  topic: 'others',
  partition: 1,
  position,
  index: 0,
  log: '',
  reason: 'invalid',
  detail: 'a field too many',
  raw: typeof value === 'string' ? Buffer.from(value) : Buffer.from(JSON.stringify(value)),
  atMs: nowMs,
  failedAtMs: nowMs + 5_000,
  ...changes,
});

const id = '0190a000-0000-7000-8000-000000000001';
const given: readonly DeadLetter[] = [
  letterOf(7, { ...click, colour: 'red' }),
  letterOf(8, { ...click, event_id: id, colour: 'red' }),
  letterOf(8, { ...film, colour: 'red' }, { topic: 'films' }),
  letterOf(9, { ...click, element: 7 }),
  letterOf(10, 'not JSON', { reason: 'not_json' }),
  letterOf(11, '', { reason: 'tombstone' }),
  letterOf(12, Buffer.from([0xff, 0, 10, 9]).toString('latin1'), {
    reason: 'not_utf8',
    raw: Uint8Array.of(0xff, 0, 10, 9),
  }),
];
const derived = derivedId({ position: 7, value: given[0]!.raw }, 'others', 1, click.timestamp);

const openPlaces = async (letters: Letters): Promise<string[]> =>
  (await letters.find({ limit: 100 })).map(({ topic, position }) => `${topic}/${position}`);

test('letters of a table from before logs were told apart stay as they are, and new ones of their place come beside them', async () => {
  const { db, sink, letters } = await prepared();
  await sql(`DROP TABLE ${db}.dead_letters_rows SYNC`);
  await sql(`CREATE TABLE ${db}.dead_letters_rows (topic LowCardinality(String), partition UInt32, position UInt64,
    \`index\` UInt32, reason LowCardinality(String), detail String, raw String, recorded_at DateTime64(3, 'UTC'),
    failed_at DateTime64(3, 'UTC'), replayed_at Nullable(DateTime64(3, 'UTC')),
    dismissed_at Nullable(DateTime64(3, 'UTC')), dismissed_why String)
    ENGINE = ReplacingMergeTree(failed_at) ORDER BY (topic, partition, position, index)`);
  await sql(`INSERT INTO ${db}.dead_letters_rows (topic, partition, position, index, reason, detail, raw)
    VALUES ('others', 1, 7, 0, 'invalid', 'old', 'x')`);
  await sink.prepare();
  await sink.prepare();
  await sink.deadLetter([letterOf(7, 'y', { log: 'here', detail: 'new' })], never);
  const found = await letters.find({ limit: 10 });
  expect(found.map(({ log, position, detail }) => [log, position, detail])).toEqual([
    ['', 7, 'old'],
    ['here', 7, 'new'],
  ]);
  await letters.markReplayed([found[1]!], nowMs);
  expect((await letters.find({ limit: 10 })).map(({ detail }) => detail)).toEqual(['old']);
});

describe('replay', () => {
  test('makes rows of what fits now, with the times and ids the mover would have given; the rest stays open', async () => {
    const { db, sink, letters } = await prepared();
    await sink.deadLetter(given, never);
    const replayed = await replay({ letters, sink, judge, filter: {}, dryRun: false });
    expect(replayed).toEqual({
      looked: 7,
      rows: new Map([
        ['film_watched', 1],
        ['click', 2],
      ]),
      stays: new Map([
        ['invalid', 1],
        ['not_json', 1],
        ['tombstone', 1],
        ['not_utf8', 1],
      ]),
    });
    const rows = await sql(`SELECT event_id, toUnixTimestamp64Milli(received_at) FROM ${db}.click ORDER BY event_id`);
    expect(rows.split('\n').toSorted()).toEqual([`${derived}\t${nowMs}`, `${id}\t${nowMs}`].toSorted());
    expect(await openPlaces(letters)).toEqual(['others/9', 'others/10', 'others/11', 'others/12']);
    const marked = await letters.find({
      state: 'any',
      places: [{ topic: 'others', partition: 1, position: 7, index: 0, log: '' }],
      limit: 1,
    });
    expect(marked[0]).toMatchObject({ ...given[0]!, replayedAtMs: expect.any(Number) });
  });

  test('twice, and by two at once, is as once', async () => {
    const { db, sink, letters } = await prepared();
    await sink.deadLetter(given, never);
    const options = { letters, sink, judge, filter: {}, dryRun: false };
    await Promise.all([replay(options), replay(options)]);
    expect((await replay(options)).rows).toEqual(new Map());
    expect(await sql(`SELECT count(), uniqExact(event_id) FROM ${db}.events`)).toBe('3\t3');
  });

  test('that is broken off after the rows and before the marks makes no second row when it goes on', async () => {
    const { db, sink, letters } = await prepared();
    await sink.deadLetter(given, never);
    const broken = { ...letters, markReplayed: () => Promise.reject(new PipelineError('sink_unknown', 'killed')) };
    await expect(replay({ letters: broken, sink, judge, filter: {}, dryRun: false })).rejects.toThrow('killed');
    expect(await openPlaces(letters)).toHaveLength(7);
    await replay({ letters, sink, judge, filter: {}, dryRun: false });
    expect(await sql(`SELECT count() FROM ${db}.events`)).toBe('3');
    expect(await openPlaces(letters)).toHaveLength(4);
  });

  test('of an event that arrived another way meanwhile leaves the one received first', async () => {
    const { db, sink, letters } = await prepared();
    await sink.deadLetter([given[1]!], never);
    const again = judge(
      {
        position: 0,
        atMs: nowMs - 60_000,
        value: Buffer.from(JSON.stringify({ ...click, event_id: id, element: 'first' })),
      },
      { topic: 'x', partition: 0 },
    );
    if (!again.ok) throw new Error(again.detail);
    await sink.insert({ type: 'click', rows: 1, chunks: [Buffer.from(`${again.body}\n`)] }, 'other way', never);
    await replay({ letters, sink, judge, filter: {}, dryRun: false });
    expect(await sql(`SELECT element FROM ${db}.click`)).toBe('first');
  });

  test('only as a rehearsal says the same and changes nothing', async () => {
    const { db, sink, letters } = await prepared();
    await sink.deadLetter(given, never);
    const rehearsed = await replay({ letters, sink, judge, filter: {}, dryRun: true });
    expect(await sql(`SELECT count() FROM ${db}.events`)).toBe('0');
    expect(await openPlaces(letters)).toHaveLength(7);
    expect(rehearsed).toEqual(await replay({ letters, sink, judge, filter: {}, dryRun: false }));
  });

  test('of a topic, a reason or a place leaves the others', async () => {
    const { sink, letters } = await prepared();
    await sink.deadLetter(given, never);
    const place = { topic: 'others', partition: 1, position: 8, index: 0, log: '' };
    const lookedAt = async (filter: Parameters<typeof replay>[0]['filter']) =>
      (await replay({ letters, sink, judge, filter, dryRun: true })).looked;
    expect(await lookedAt({ topic: 'films' })).toBe(1);
    expect(await lookedAt({ reason: 'invalid' })).toBe(4);
    expect(await lookedAt({ places: [place] })).toBe(1);
  });

  test('what ClickHouse alone refuses stays, what was beside it goes in', async () => {
    const { db, sink, letters } = await prepared();
    await sink.deadLetter(given.slice(0, 2), never);
    const lying = foreignJudgeOf({
      ...judgeOptions,
      catalogue,
      unknownFields: 'drop',
      bodyBytesMax: 2 ** 20,
      now: () => nowMs,
    });
    const replayed = await replay({
      letters,
      sink,
      judge: (record, place) => {
        const verdict = lying(record, place);
        return verdict.ok && record.position === 8 ? { ...verdict, body: verdict.body.replace(id, 'no id') } : verdict;
      },
      filter: {},
      dryRun: false,
    });
    expect([replayed.rows, replayed.stays]).toEqual([new Map([['click', 1]]), new Map([['refused', 1]])]);
    expect(await sql(`SELECT count() FROM ${db}.click`)).toBe('1');
    expect(await openPlaces(letters)).toEqual(['others/8']);
  });

  test('of thousands goes page by page, and a halted table ends it with what was done marked', async () => {
    const { db, sink, letters } = await prepared();
    const many = Array.from({ length: 1_000 }, (_, at) =>
      letterOf(at, { ...click, colour: 'red', page_url: `/${at}` }),
    );
    await sink.deadLetter(many, never);
    let inserts = 0;
    const halting: SinkWithDeadLetters = {
      ...sink,
      insert: (...call) =>
        ++inserts > 2 ? Promise.reject(new PipelineError('sink_halted', 'no table')) : sink.insert(...call),
    };
    await expect(replay({ letters, sink: halting, judge, filter: {}, dryRun: false })).rejects.toThrow('no table');
    expect((await letters.count({})).map(({ letters: n }) => n)).toEqual([600]);
    await replay({ letters, sink, judge, filter: {}, dryRun: false });
    expect(await sql(`SELECT count(), uniqExact(page_url) FROM ${db}.click`)).toBe('1000\t1000');
    expect(await letters.count({})).toEqual([]);
  });
});

test('a letter that comes again after it became a row, from a log read again by an older judge, is open again', async () => {
  const { db, sink, letters } = await prepared();
  await sink.deadLetter([given[0]!], never);
  await replay({ letters, sink, judge, filter: {}, dryRun: false });
  await sink.deadLetter([{ ...given[0]!, failedAtMs: nowMs + 60_000 }], never);
  expect(await openPlaces(letters)).toEqual(['others/7']);
  await replay({ letters, sink, judge, filter: {}, dryRun: false });
  expect([await openPlaces(letters), await sql(`SELECT count() FROM ${db}.click`)]).toEqual([[], '1']);
});

describe('dismissing', () => {
  const mark = { atMs: nowMs + 60_000, why: 'never ours; it\'s "noise"' };
  const dismissed = async (letters: Letters): Promise<string[]> =>
    (await letters.find({ state: 'dismissed', limit: 100 })).map(({ position }) => String(position));

  test('takes letters from those that are open, keeps every byte of them, and says when and why', async () => {
    const { sink, letters } = await prepared();
    await sink.deadLetter(given, never);
    await letters.dismiss({ reason: 'not_utf8' }, mark);
    expect(await openPlaces(letters)).toEqual([
      'films/8',
      'others/7',
      'others/8',
      'others/9',
      'others/10',
      'others/11',
    ]);
    const [kept] = await letters.find({ state: 'dismissed', limit: 2 });
    expect(kept).toEqual({ ...given[6]!, replayedAtMs: null, dismissedAtMs: mark.atMs, dismissedWhy: mark.why });
    expect((await letters.count({ state: 'any' })).reduce((sum, { letters: n }) => sum + n, 0)).toBe(7);
  });

  test('by place, topic, reason and time is narrowed by each, and an empty list of places narrows nothing', async () => {
    const { sink, letters } = await prepared();
    await sink.deadLetter([...given, letterOf(13, 'late', { failedAtMs: nowMs + 9_000 })], never);
    const at = (position: number) => ({ topic: 'others', partition: 1, position, index: 0, log: '' });
    await letters.dismiss({ places: [at(7), at(10), at(99)], reason: 'not_json' }, mark);
    expect(await dismissed(letters)).toEqual(['10']);
    await letters.dismiss({ places: [], topic: 'films', beforeMs: nowMs + 5_000 }, mark);
    expect(await dismissed(letters)).toEqual(['10']); // not before the time it was given up
    await letters.dismiss({ places: [], beforeMs: nowMs + 5_001 }, mark);
    expect(await openPlaces(letters)).toEqual(['others/13']);
  });

  test('twice leaves the first word, and a letter that became a row is left alone', async () => {
    const { db, sink, letters } = await prepared();
    await sink.deadLetter(given.slice(0, 4), never);
    await letters.markReplayed([given[0]!], nowMs + 1);
    await letters.dismiss({ places: [given[0]!, given[1]!] }, mark);
    await letters.dismiss({}, { atMs: mark.atMs + 1, why: 'again' });
    const found = await letters.find({ state: 'any', topic: 'others', limit: 9 });
    expect(
      found.map(({ replayedAtMs, dismissedAtMs, dismissedWhy }) => [replayedAtMs, dismissedAtMs, dismissedWhy]),
    ).toEqual([
      [nowMs + 1, null, ''],
      [null, mark.atMs, mark.why],
      [null, mark.atMs + 1, 'again'],
    ]);
    expect(await sql(`SELECT count() FROM ${db}.events`)).toBe('0');
  });

  test('keeps them from a replay until they are opened again; what a replay made of one stays known', async () => {
    const { db, sink, letters } = await prepared();
    await sink.deadLetter([given[0]!], never);
    await letters.dismiss({}, mark);
    expect((await replay({ letters, sink, judge, filter: { places: [given[0]!] }, dryRun: false })).looked).toBe(0);
    await letters.reopen({ topic: 'elsewhere' });
    expect(await openPlaces(letters)).toEqual([]);
    await letters.reopen({});
    await letters.reopen({});
    expect(await openPlaces(letters)).toEqual(['others/7']);
    await replay({ letters, sink, judge, filter: {}, dryRun: false });
    expect(await sql(`SELECT count() FROM ${db}.click`)).toBe('1');
    await letters.reopen({});
    expect((await letters.find({ state: 'any', limit: 1 }))[0]).toMatchObject({
      replayedAtMs: expect.any(Number),
      dismissedAtMs: null,
      dismissedWhy: '',
    });
  });
});
