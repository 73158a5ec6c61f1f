// What a reader of the buffer has still to pass, by topic, on every buffer there is.

import { describe, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteBuffer } from '../../src/adapters/disk/log/buffer.ts';
import { memoryBuffer } from '../../src/adapters/memory/buffer.ts';
import type { DiskBuffer } from '../../src/ports/buffer.ts';
import type { Source } from '../../src/ports/source.ts';
import { commitAll, envelopes, pollAll } from '../support/buffer.ts';
import { until } from '../support/until.ts';

/** Counted, but for what may be a moment old. */
const lagIs = (source: Source, lag: Readonly<Record<string, number>>): Promise<void> =>
  until(
    async () => Bun.deepEquals(new Map(await source.lag!()), new Map(Object.entries(lag))),
    `a lag of ${JSON.stringify(lag)}`,
  );

describe.each([
  ['memory', async () => memoryBuffer()],
  [
    'sqlite',
    (path: string) => sqliteBuffer({ path: join(path, 'buffer.sqlite'), bytesMax: 2 ** 28, diskReserveBytes: 0 }),
  ],
] as const)('on %s', (_, open) => {
  async function withBuffer(check: (buffer: DiskBuffer) => Promise<void>): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'ugc-buffer-'));
    const buffer = await open(folder);
    try {
      await check(buffer);
    } finally {
      await buffer.close();
      rmSync(folder, { recursive: true });
    }
  }

  test('what is appended is behind until it is committed; reading it changes nothing', () =>
    withBuffer(async buffer => {
      const source = buffer.source('etl');
      await lagIs(source, {});
      await buffer.append([...envelopes(7, 'click'), ...envelopes(3, 'page_view')]);
      await lagIs(source, { 'ugc.click': 7, 'ugc.page_view': 3 });
      const batches = await pollAll(source, 10);
      await lagIs(source, { 'ugc.click': 7, 'ugc.page_view': 3 });
      await commitAll(
        source,
        batches.filter(({ type }) => type === 'click'),
      );
      await lagIs(source, { 'ugc.page_view': 3 });
      await buffer.append(envelopes(2, 'click'));
      await lagIs(source, { 'ugc.click': 2, 'ugc.page_view': 3 });
    }));

  test('each reader has its own', () =>
    withBuffer(async buffer => {
      const [one, other] = [buffer.source('one'), buffer.source('other')];
      await buffer.append(envelopes(5));
      await commitAll(one, await pollAll(one, 5));
      await lagIs(one, {});
      await lagIs(other, { 'ugc.click': 5 });
    }));

  test('of more rows than are looked at in one step each is counted once', () =>
    withBuffer(async buffer => {
      const source = buffer.source('etl');
      const rows = 1_300; // a topic each, so a row each
      await buffer.append(Array.from({ length: rows }, (_, at) => envelopes(2, `t${at}`)).flat());
      await buffer.append(envelopes(4, 't0'));
      const lag = Object.fromEntries(Array.from({ length: rows }, (_, at) => [`ugc.t${at}`, at === 0 ? 6 : 2]));
      await lagIs(source, lag);
    }));
});
