// What every Source does, whatever log is behind it. What not every log has is named, and one that lacks it says why.

import { describe, expect, test } from 'bun:test';
import type { Batch, Source } from '../../src/ports/source.ts';
import { bytesMax, countOf, linesOf, namesOf, nothingPaused, stamped } from '../support/kafka-source.ts';
import { until } from '../support/until.ts';

/** True, or why the log has not got it. */
type Has = true | { readonly not: string };

export interface SourceFeatures {
  /** Records of one key come in the order they were written in. */
  readonly orderedPerKey: Has;
  /** A record's place is the same whenever and by whomever it is read. */
  readonly positions: Has;
  /** Several read as one, each a share of the partitions, which may move. */
  readonly ownership: Has;
  /** It says how many events its reader has not passed. */
  readonly lag: Has;
  /** Batches name the log they are of: another of the same name has another. */
  readonly logIdentity: Has;
  /** Readers of different names each have everything; not said = they do. */
  readonly severalReaders?: Has;
  /** What a share is: some partitions of each topic, or some of the topics. Not said = partitions. */
  readonly shareOf?: 'partitions' | 'topics';
}

export interface Written {
  readonly body: string;
  readonly type?: string;
  readonly key?: string;
  readonly partition?: number;
}

export interface LogUnderTest {
  /** New ones, with so many partitions each where there is such a thing. */
  topics(count: number, partitions?: number): Promise<string[]>;
  write(topic: string, events: readonly Written[]): Promise<void>;
  /** What the log has of this reader goes on where it was. */
  open(reader: string, topics: readonly string[]): Source;
  /** Closes what is still open, and takes away what it leaves. */
  dispose(): Promise<void>;
}

export interface SourceContract {
  readonly features: SourceFeatures;
  open(): Promise<LogUnderTest>;
}

/** Only ends a broken test. */
const patienceMs = 90_000;

async function read(source: Source, count: number, paused = nothingPaused): Promise<Batch[]> {
  const signal = AbortSignal.timeout(patienceMs);
  const batches: Batch[] = [];
  while (countOf(batches) < count) {
    batches.push(...(await source.poll({ paused, bytesMax }, signal)));
    if (signal.aborted) throw new Error(`${countOf(batches)} of ${count} records came; ${source.problem?.()}`);
  }
  return batches;
}

const named = (prefix: string, count: number): Written[] =>
  Array.from({ length: count }, (_, at) => ({ body: stamped(`${prefix}${at}`) }));
const namesIn = (written: readonly Written[]): string[] => written.map(({ body }) => JSON.parse(body).name);

export function sourceContract(name: string, { features, open }: SourceContract): void {
  const withLog = async (check: (log: LogUnderTest) => Promise<void>): Promise<void> => {
    const log = await open();
    try {
      await check(log);
    } finally {
      await log.dispose();
    }
  };
  /** Told as left out, with the reason, where the log has not got it. */
  const having = (has: Has) => ({
    test: (words: string, check: (log: LogUnderTest) => Promise<void>): void =>
      has === true
        ? test(words, () => withLog(check))
        : test.skip(`${words} (not here: ${has.not})`, () => withLog(check)),
  });

  describe(`the source contract on ${name}`, () => {
    test('what was written is read, byte for byte, in batches of one topic and type that say their count', () =>
      withLog(async log => {
        const [one, other] = (await log.topics(2)) as [string, string];
        const source = log.open('etl', [one, other]);
        const written = ['plain', 'ключ', '😀', '\u2028'].map(text => ({ body: stamped(text) }));
        const clicks = [{ body: stamped('c0', 'click'), type: 'click' }];
        await log.write(one, written);
        await log.write(one, clicks);
        await log.write(other, named('o', 3));
        const batches = await read(source, 8);
        for (const batch of batches) expect(linesOf(batch)).toHaveLength(batch.count);
        const linesIn = (topic: string, type: string) =>
          batches.filter(batch => batch.topic === topic && batch.type === type).flatMap(linesOf);
        expect(linesIn(one, 'page_view')).toEqual(written.map(({ body }) => body));
        expect(linesIn(one, 'click')).toEqual(clicks.map(({ body }) => body));
        expect(linesIn(other, 'page_view').map(line => JSON.parse(line).name)).toEqual(['o0', 'o1', 'o2']);
      }));

    test('a poll that finds nothing waits for what comes, and an aborted one ends empty and takes nothing with it', () =>
      withLog(async log => {
        const [topic] = (await log.topics(1)) as [string];
        const source = log.open('etl', [topic]);
        const polled = read(source, 1);
        await log.write(topic, named('first', 1));
        expect(namesOf(await polled)).toEqual(['first0']);
        for (let round = 0; round < 10; round++) {
          const aborted = new AbortController();
          const racing = source.poll({ paused: nothingPaused, bytesMax }, aborted.signal);
          await log.write(topic, named(`${round}-`, 1));
          aborted.abort();
          const names = namesOf(await racing);
          if (names.length === 0) names.push(...namesOf(await read(source, 1)));
          expect(names).toEqual([`${round}-0`]);
        }
      }));

    test('a commit passes its batch and all handed out before it, and nothing behind it', () =>
      withLog(async log => {
        const [topic] = (await log.topics(1)) as [string];
        const first = log.open('etl', [topic]);
        for (const part of ['a', 'b', 'c']) {
          await log.write(topic, named(part, 2));
          const batches = await read(first, 2);
          if (part === 'b') await first.commit(batches.at(-1)!.ack);
        }
        await first.close();
        expect(namesOf(await read(log.open('etl', [topic]), 2))).toEqual(['c0', 'c1']);
      }));

    test('committing what is passed already takes nothing back', () =>
      withLog(async log => {
        const [topic] = (await log.topics(1)) as [string];
        const first = log.open('etl', [topic]);
        const acks = [];
        for (const part of ['a', 'b']) {
          await log.write(topic, named(part, 1));
          acks.push((await read(first, 1))[0]!.ack);
        }
        for (const ack of [acks[1]!, acks[0]!, acks[1]!]) await first.commit(ack);
        await first.close();
        await log.write(topic, named('later', 1));
        expect(namesOf(await read(log.open('etl', [topic]), 1))).toEqual(['later0']);
      }));

    test('a topic passed passes no other', () =>
      withLog(async log => {
        const [one, other] = (await log.topics(2)) as [string, string];
        const first = log.open('etl', [one, other]);
        await log.write(one, named('one', 2));
        await log.write(other, named('other', 2));
        for (const batch of await read(first, 4)) if (batch.topic === other) await first.commit(batch.ack);
        await first.close();
        expect(namesOf(await read(log.open('etl', [one, other]), 2))).toEqual(['one0', 'one1']);
      }));

    having(features.severalReaders ?? true).test('readers of different names each have everything', async log => {
      const [topic] = (await log.topics(1)) as [string];
      const [etl, archive] = [log.open('etl', [topic]), log.open('archive', [topic])];
      await log.write(topic, named('e', 3));
      for (const { ack } of await read(etl, 3)) await etl.commit(ack);
      expect(namesOf(await read(archive, 3))).toEqual(['e0', 'e1', 'e2']);
    });

    test('a paused topic is held back, the others flow, and later it comes whole', () =>
      withLog(async log => {
        const [one, other] = (await log.topics(2)) as [string, string];
        const source = log.open('etl', [one, other]);
        await log.write(one, named('one', 3));
        await log.write(other, named('other', 3));
        expect(namesOf(await read(source, 3, new Set([one])))).toEqual(['other0', 'other1', 'other2']);
        await log.write(other, named('later', 1));
        expect(namesOf(await read(source, 1, new Set([one])))).toEqual(['later0']);
        expect(namesOf(await read(source, 3))).toEqual(['one0', 'one1', 'one2']);
      }));

    test('a poll takes no batch once it has what it asked for', () =>
      withLog(async log => {
        const [topic] = (await log.topics(1)) as [string];
        const source = log.open('etl', [topic]);
        for (let at = 0; at < 12; at++)
          await log.write(
            topic,
            [{ body: stamped(`${at}${'x'.repeat(10_000)}`, at % 2 ? 'click' : 'page_view') }].map(each => ({
              ...each,
              type: at % 2 ? 'click' : 'page_view',
            })),
          );
        let count = 0;
        while (count < 12) {
          const options = { paused: nothingPaused, bytesMax: 25_000 };
          const batches = await source.poll(options, AbortSignal.timeout(patienceMs));
          expect(batches).not.toBeEmpty();
          expect(batches.slice(0, -1).reduce((sum, { ndjson }) => sum + ndjson.length, 0)).toBeLessThan(25_000);
          count += countOf(batches);
        }
        expect(count).toBe(12);
      }));

    test('close may be called twice and ends a poll, and nothing is given afterwards', () =>
      withLog(async log => {
        const [topic] = (await log.topics(1)) as [string];
        const source = log.open('etl', [topic]);
        const polling = source.poll({ paused: nothingPaused, bytesMax }, AbortSignal.timeout(patienceMs));
        await Promise.all([source.close(), source.close()]);
        expect(await polling).toEqual([]);
        await log.write(topic, named('late', 1));
        expect(await source.poll({ paused: nothingPaused, bytesMax }, AbortSignal.timeout(patienceMs))).toEqual([]);
      }));

    having(features.orderedPerKey).test('records of a key come in the order they were written in', async log => {
      const [topic] = (await log.topics(1, 3)) as [string];
      const source = log.open('etl', [topic]);
      const keys = ['anna', 'boris', 'clara', 'dora'];
      const written = Array.from({ length: 60 }, (_, at) => {
        const key = keys[at % keys.length]!;
        return { body: stamped(`${key}-${at}`), key };
      });
      for (let at = 0; at < written.length; at += 7) await log.write(topic, written.slice(at, at + 7));
      const names = namesOf(await read(source, 60));
      for (const key of keys) {
        const isOfKey = (each: string): boolean => each.startsWith(key);
        expect(names.filter(isOfKey)).toEqual(namesIn(written).filter(isOfKey));
      }
    });

    having(features.positions).test('a record has the same position whenever and by whomever it is read', async log => {
      const [topic] = (await log.topics(1)) as [string];
      const readers = ['etl', 'archive'].map(reader => log.open(reader, [topic]));
      for (const part of ['a', 'b', 'c']) await log.write(topic, named(part, 3));
      const places: Map<string, string>[] = [];
      for (const reader of readers) {
        const batches = await read(reader, 9);
        for (const { first, last, count } of batches) expect(last! - first! + 1).toBe(count);
        places.push(
          new Map(
            batches.flatMap(batch =>
              linesOf(batch).map((line, at) => [line, `${batch.partition}/${batch.first! + at}`] as const),
            ),
          ),
        );
      }
      expect(places[1]).toEqual(places[0]!);
      expect(new Set(places[0]!.values()).size).toBe(9);
    });

    if (features.positions !== true)
      test('no batch says a position, since none would outlive redelivery', () =>
        withLog(async log => {
          const [topic] = (await log.topics(1)) as [string];
          await log.write(topic, named('e', 2));
          for (const batch of await read(log.open('etl', [topic]), 2))
            expect([batch.first, batch.last]).toEqual([undefined, undefined]);
        }));

    having(features.lag).test('what its reader has not passed is counted, by topic', async log => {
      const [one, other] = (await log.topics(2)) as [string, string];
      const source = log.open('etl', [one, other]);
      await log.write(one, named('one', 5));
      await log.write(other, named('other', 2));
      const batches = await read(source, 7);
      // Some servers count a moment late.
      const left = async (topic: string) => (await source.lag!()).get(topic) ?? 0;
      await until(async () => (await left(one)) === 5, 'what was read is not passed');
      for (const { topic, ack } of batches) if (topic === one) await source.commit(ack);
      await until(async () => (await left(one)) === 0, 'it is passed');
      await until(async () => (await left(other)) === 2, 'what was read of the other is not passed');
    });

    having(features.logIdentity).test('batches name their log, the same for whoever reads it', async log => {
      const [topic] = (await log.topics(1)) as [string];
      const readers = ['etl', 'archive'].map(reader => log.open(reader, [topic]));
      await log.write(topic, named('e', 1));
      const [one, other] = [await read(readers[0]!, 1), await read(readers[1]!, 1)];
      expect(one[0]!.log).toBeString();
      expect(other[0]!.log).toBe(one[0]!.log!);
    });

    having(features.ownership).test(
      'what was read of a share that has moved is owned no more, and commits nothing',
      async log => {
        const topics = features.shareOf === 'topics' ? await log.topics(2) : await log.topics(1, 2);
        const first = log.open('etl', topics);
        for (const partition of [0, 1])
          await log.write(
            topics[partition] ?? topics[0]!,
            named(`${partition}-`, 3).map(each => ({ ...each, partition })),
          );
        const batches = await read(first, 6);
        expect(batches.map(batch => first.owns!(batch))).not.toContain(false);
        const second = log.open('etl', topics);
        await until(() => batches.some(batch => !first.owns!(batch)), 'a share has moved');
        const lost = batches.filter(batch => !first.owns!(batch));
        for (const { ack } of lost) await first.commit(ack);
        await Promise.all([first.close(), second.close()]);
        const again = namesOf(await read(log.open('etl', topics), 6)).toSorted();
        expect(again).toEqual(namesOf(batches).toSorted());
      },
    );

    if (features.ownership !== true)
      test('what was read is owned for ever, if it is said at all', () =>
        withLog(async log => {
          const [topic] = (await log.topics(1)) as [string];
          const source = log.open('etl', [topic]);
          await log.write(topic, named('e', 1));
          for (const batch of await read(source, 1)) expect(source.owns?.(batch) ?? true).toBe(true);
        }));
  });
}
