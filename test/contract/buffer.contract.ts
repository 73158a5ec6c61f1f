// What every DiskBuffer does, whatever it is made of. What its readers do like those of any log is in source.contract.ts.

import { describe, expect, test } from 'bun:test';
import type { DiskBuffer, Range } from '../../src/ports/buffer.ts';
import { bodiesOf, commitAll, envelope, envelopes, idsOf, isEmpty, pollAll, pollSome } from '../support/buffer.ts';
import { until } from '../support/until.ts';
import { binaryOf, booking } from '../support/versions.ts';

export interface BufferUnderTest {
  readonly buffer: DiskBuffer;
  /** Closes it and takes away what it leaves. */
  dispose(): Promise<void>;
}

export function bufferContract(name: string, open: (options: { bytesMax: number }) => Promise<BufferUnderTest>): void {
  const withBuffer = async (check: (buffer: DiskBuffer) => Promise<void>, bytesMax = 2 ** 28): Promise<void> => {
    const { buffer, dispose } = await open({ bytesMax });
    try {
      await check(buffer);
    } finally {
      await dispose();
    }
  };

  describe(`the buffer contract on ${name}`, () => {
    test('what was appended is read back, in order and byte for byte', () =>
      withBuffer(async buffer => {
        const source = buffer.source('etl');
        const sent = ['plain', 'ключ', '日本', '😀', '"quoted"\\', '\u2028'].map((text, i) =>
          envelope(`${i}`, 'click', text),
        );
        await buffer.append(sent);
        const batches = await pollSome(source);
        expect(batches.flatMap(bodiesOf)).toEqual(sent.map(({ body }) => body));
        expect(batches[0]).toMatchObject({
          topic: 'ugc.click',
          type: 'click',
          partition: 0,
          oldestAtMs: 1_795_000_000_000,
        });
      }));

    test('a batch says its count, and its positions are that many', () =>
      withBuffer(async buffer => {
        const source = buffer.source('etl');
        const range = await buffer.append([...envelopes(7, 'click'), ...envelopes(3, 'page_view', 'p')]);
        const batches = await pollAll(source, 10);
        for (const batch of batches) {
          expect(bodiesOf(batch)).toHaveLength(batch.count);
          expect(batch.last - batch.first + 1).toBe(batch.count);
          expect(batch.first).toBeGreaterThanOrEqual(range.first);
          expect(batch.last).toBeLessThanOrEqual(range.last);
        }
        expect(batches.map(({ topic, count }) => [topic, count]).sort()).toEqual([
          ['ugc.click', 7],
          ['ugc.page_view', 3],
        ]);
      }));

    test('a batch is of one version and says which, whatever was appended together', () =>
      withBuffer(async buffer => {
        const source = buffer.source('etl');
        const [old, now] = [binaryOf(1), binaryOf(2)];
        const sent = [1, 2, 3, 4].map(at =>
          at % 2 === 0 ? old.edge(booking(at, { chair: '1' })) : now.edge(booking(at, { seat: 1 })),
        );
        await buffer.append(sent);
        const read = (await pollAll(source, 4)).flatMap(batch =>
          bodiesOf(batch).map(body => ({ body, of: batch.version })),
        );
        expect(read).toHaveLength(4);
        for (const { body, of } of read) expect(body).toContain(`"schema_version":${of},`);
      }));

    test('positions of a topic grow and none is given twice', () =>
      withBuffer(async buffer => {
        const source = buffer.source('etl');
        const ranges: Range[] = [];
        for (let i = 0; i < 20; i++) ranges.push(await buffer.append(envelopes(1 + (i % 3), 'click', `${i}-`)));
        for (let i = 1; i < ranges.length; i++) expect(ranges[i]!.first).toBeGreaterThan(ranges[i - 1]!.last);
        const batches = await pollAll(
          source,
          ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0),
        );
        for (let i = 1; i < batches.length; i++) expect(batches[i]!.first).toBeGreaterThan(batches[i - 1]!.last);
      }));

    test('appends made at the same time are all kept', () =>
      withBuffer(async buffer => {
        const source = buffer.source('etl');
        await Promise.all(
          Array.from({ length: 300 }, (_, i) => buffer.append(envelopes(3, ['click', 'page_view'][i % 2], `${i}-`))),
        );
        expect(new Set(idsOf(await pollAll(source, 900))).size).toBe(900);
      }));

    test('a row stays until every reader has passed it', () =>
      withBuffer(async buffer => {
        const etl = buffer.source('etl');
        const archive = buffer.source('archive');
        await buffer.keepReaders(['etl', 'archive']); // else one that could not be let in at first may miss some
        await buffer.append(envelopes(5));
        await commitAll(etl, await pollAll(etl, 5));
        const late = await pollAll(archive, 5);
        expect(idsOf(late)).toHaveLength(5);
        expect((await buffer.stats()).events).toBe(5);
        await commitAll(archive, late);
        await until(isEmpty(buffer), 'the buffer is empty');
      }));

    test('one topic passed does not delete another', () =>
      withBuffer(async buffer => {
        const source = buffer.source('etl');
        await buffer.append([...envelopes(3, 'click'), ...envelopes(4, 'page_view', 'p')]);
        const batches = await pollAll(source, 7);
        await commitAll(
          source,
          batches.filter(({ type }) => type === 'page_view'),
        );
        await until(async () => (await buffer.stats()).events === 3, 'page views are gone');
        await source.close();
        expect(idsOf(await pollAll(buffer.source('etl'), 3))).toEqual(['e0', 'e1', 'e2']);
      }));

    test('a poll is bounded in bytes, yet always moves on', () =>
      withBuffer(async buffer => {
        const source = buffer.source('etl');
        for (let i = 0; i < 20; i++) await buffer.append([envelope(`${i}`, 'click', 'x'.repeat(10_000))]);
        const ids: string[] = [];
        while (ids.length < 20) {
          const some = idsOf(await pollSome(source, 25_000));
          expect(some.length).toBeLessThanOrEqual(3);
          ids.push(...some);
        }
        expect(ids).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
        await buffer.append([envelope('large', 'click', 'x'.repeat(50_000))]);
        expect(idsOf(await pollSome(source, 1))).toEqual(['large']);
      }));

    test('a full buffer refuses an append whole, keeps what it has, and takes again after a drain', () =>
      withBuffer(async buffer => {
        const source = buffer.source('etl');
        const acked: string[] = [];
        let refused: unknown = null;
        for (let i = 0; refused === null; i++) {
          const group = Array.from({ length: 4 }, (_, n) => envelope(`${i}-${n}`, `type_${n}`, 'x'.repeat(10_000)));
          await buffer.append(group).then(
            () => acked.push(...group.map(({ id }) => id)),
            error => (refused = error),
          );
        }
        expect(refused).toMatchObject({ code: 'buffer_full', retry: 'backoff' });
        expect(buffer.hasRoom(2 ** 20)).toBe(false);
        expect((await buffer.stats()).events).toBe(acked.length);
        const batches = await pollAll(source, acked.length);
        expect(idsOf(batches).sort()).toEqual(acked.sort());
        await commitAll(source, batches);
        await until(isEmpty(buffer), 'the buffer is empty');
        await until(() => buffer.hasRoom(40_000), 'there is room');
        await buffer.append([envelope('after')]);
        expect(idsOf(await pollSome(source))).toEqual(['after']);
      }, 2 ** 20));

    test('a body of several lines is refused alone', () =>
      withBuffer(async buffer => {
        const source = buffer.source('etl');
        const bad = buffer.append([{ ...envelope('bad'), body: '{\n}' }]);
        const good = buffer.append([envelope('good')]);
        expect(await bad.catch(error => error)).toMatchObject({ code: 'internal' });
        await good;
        expect(idsOf(await pollAll(source, 1))).toEqual(['good']);
      }));

    test('stats tell events, bytes and age', () =>
      withBuffer(async buffer => {
        const source = buffer.source('etl');
        expect(await buffer.stats()).toMatchObject({ events: 0, oldestAtMs: null, quarantined: 0 });
        await buffer.append([
          { ...envelope('young'), receivedAtMs: 2000 },
          { ...envelope('old'), receivedAtMs: 1000 },
        ]);
        const stats = await buffer.stats();
        expect(stats).toMatchObject({ events: 2, oldestAtMs: 1000, quarantined: 0 });
        expect(stats.bytes).toBeGreaterThan(0);
        await source.close();
      }));

    test('of the readers exactly those named are kept: what was there for the others alone goes, the rest stays', () =>
      withBuffer(async buffer => {
        const sources = ['etl', 'drain', 'archive'].map(reader => buffer.source(reader));
        await buffer.append([...envelopes(3), ...envelopes(2, 'page_view', 'p')]);
        const [etl, drain, archive] = [sources[0]!, sources[1]!, sources[2]!];
        await pollAll(archive, 5); // a reader is known once it has been let in, which may have failed at first
        await commitAll(drain, await pollAll(drain, 5));
        await commitAll(
          etl,
          (await pollAll(etl, 5)).filter(({ topic }) => topic === 'ugc.click'),
        );
        await buffer.append([envelope('later')]);
        const forgotten = await buffer.keepReaders(['drain']);
        expect(forgotten.toSorted((a, b) => (a.reader < b.reader ? -1 : 1))).toEqual([
          { reader: 'archive', behind: 6 },
          { reader: 'etl', behind: 3 },
        ]);
        await until(async () => (await buffer.stats()).events === 1, 'only the last one is left');
        expect(await buffer.keepReaders(['drain'])).toEqual([]);
        expect(idsOf(await pollSome(drain))).toEqual(['later']);
      }));

    test('a reader that is kept for the first time has all there is, though the one it was kept for is forgotten', () =>
      withBuffer(async buffer => {
        const etl = buffer.source('etl');
        await buffer.append(envelopes(3));
        await pollAll(etl, 3); // a reader is known once it has been let in, which may have failed at first
        expect(await buffer.keepReaders(['drain', 'archive'])).toEqual([{ reader: 'etl', behind: 3 }]);
        const drain = buffer.source('drain');
        await commitAll(drain, await pollAll(drain, 3));
        expect(idsOf(await pollAll(buffer.source('archive'), 3))).toEqual(['e0', 'e1', 'e2']);
      }));

    test('a reader that was forgotten while it lives is back with its next commit', () =>
      withBuffer(async buffer => {
        const etl = buffer.source('etl');
        await buffer.append([envelope('a')]);
        const batches = await pollAll(etl, 1);
        await buffer.keepReaders(['drain']);
        await commitAll(etl, batches);
        expect((await buffer.keepReaders(['drain'])).map(({ reader }) => reader)).toEqual(['etl']);
      }));

    test('keys come with the records when asked for, and only then', () =>
      withBuffer(async buffer => {
        const [plain, keyed] = [buffer.source('etl'), buffer.source('drain', { withKeys: true })];
        await buffer.append([envelope('a'), { ...envelope('b'), key: null }]);
        const [batch] = await pollSome(keyed);
        expect(JSON.parse(batch!.keys!)).toEqual(['user-a', null]);
        expect((await pollSome(plain))[0]!.keys).toBeUndefined();
      }));

    test('a record set aside is counted in quarantine once, however often it is set aside', () =>
      withBuffer(async buffer => {
        const source = buffer.source('drain');
        await buffer.append([envelope('a'), envelope('b')]);
        const [batch] = await pollSome(source);
        const { topic, last } = batch!;
        const record = { topic, type: 'click', position: last, index: 1, reason: 'too large', body: '{"é":1}' };
        await buffer.setAside([record]);
        await buffer.setAside([record]);
        await commitAll(source, [batch!]);
        await until(isEmpty(buffer), 'the buffer is empty');
        expect((await buffer.stats()).quarantined).toBe(1);
      }));

    test('close waits for appends under way, ends polls, and may be called twice', () =>
      withBuffer(async buffer => {
        const polled = buffer
          .source('etl')
          .poll({ paused: new Set(['ugc.click']), bytesMax: 1 }, new AbortController().signal);
        const appends = Array.from({ length: 50 }, (_, i) => buffer.append([envelope(`${i}`)]));
        await Promise.all([buffer.close(), buffer.close()]);
        await Promise.all(appends);
        expect(await polled).toEqual([]);
        expect(await buffer.append([envelope('late')]).catch(error => error)).toMatchObject({ code: 'shutting_down' });
        expect(buffer.hasRoom(1)).toBe(false);
      }));
  });
}
