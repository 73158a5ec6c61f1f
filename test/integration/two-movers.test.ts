// Two movers in one process, as rows and cold files will be: each with a sink, a reader and metrics of its own, over one
// log. Neither waits for the other, and the log keeps what either has not passed.

import { afterEach, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteBuffer } from '../../src/adapters/disk/log/buffer.ts';
import { memorySink } from '../../src/adapters/memory/sink.ts';
import { PipelineError } from '../../src/errors.ts';
import { type Supervised, supervise } from '../../src/mover/supervise.ts';
import type { MoverMetrics } from '../../src/ports/mover-metrics.ts';
import type { RowBlock, Sink } from '../../src/ports/sink.ts';
import type { Source } from '../../src/ports/source.ts';
import { envelopes, isEmpty } from '../support/buffer.ts';
import { quietLogger } from '../support/quiet.ts';
import { until } from '../support/until.ts';

/** A sink that keeps no dead letters: lines, as in a file. */
function lineSink(title: string) {
  const lines: string[] = [];
  const sink: Sink & { define(): Promise<void> } = {
    title,
    prepare: async () => {},
    define: async () => {},
    insert: async ({ chunks }: RowBlock) => {
      lines.push(...Buffer.concat(chunks).toString().trimEnd().split('\n'));
    },
    close: async () => {},
  };
  return { sink, lines };
}

/** Rows by type, as told. */
function counting() {
  const rows = new Map<string, number>();
  const metrics: MoverMetrics = {
    begun: () => {},
    inserted: ({ type, rows: more }) => void rows.set(type, (rows.get(type) ?? 0) + more),
    failed: () => {},
    halted: () => {},
    heldBack: () => {},
    deadLettered: () => {},
  };
  return { metrics, rows };
}

const moving: Supervised[] = [];

afterEach(async () => {
  await Promise.all(moving.splice(0).map(each => each.stop()));
});

interface Given {
  readonly sink: Sink & { define(): Promise<void> };
  readonly openSource: () => Source;
  readonly metrics: MoverMetrics;
}

function move(given: Given): Supervised {
  const tables = ['click', 'page_view'].map(type => ({ type, version: 1, summary: '', columns: [] }));
  const supervised = supervise({
    ...given,
    tables,
    isPrepared: false,
    judge: () => ({ ok: false, reason: 'unknown_type', detail: 'nobody knows it' }),
    blockRowsMax: 1_000,
    blockBytesMax: 2 ** 20,
    intervalMs: 0,
    graceMs: 1_000,
    logger: quietLogger,
  });
  moving.push(supervised);
  return supervised;
}

const stored = (count: number, type: string, prefix: string) =>
  envelopes(count, type, prefix).map(envelope => ({ ...envelope, version: 1 }));

test('over one disk buffer each passes it at its own pace, and nothing goes before both have', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ugc-two-movers-'));
  const buffer = await sqliteBuffer({ path: join(folder, 'buffer.sqlite'), bytesMax: 2 ** 28, diskReserveBytes: 0 });
  try {
    await buffer.keepReaders(['etl', 'archive']);
    const tables = memorySink();
    const [toTables, toFiles] = [counting(), counting()];
    const files = lineSink('the archive');
    const rows = move({
      sink: Object.assign(tables, { define: async () => {} }),
      openSource: () => buffer.source('etl'),
      metrics: toTables.metrics,
    });
    const archive = move({ sink: files.sink, openSource: () => buffer.source('archive'), metrics: toFiles.metrics });
    tables.halt('click', new PipelineError('sink_halted', 'no such table'));
    await buffer.append([...stored(20, 'click', 'c'), ...stored(30, 'page_view', 'p')]);
    await until(() => files.lines.length === 50 && tables.rows('page_view').size === 30, 'the archive has all');
    await until(() => 'click' in rows.problems(), 'the table is halted');
    expect(archive.problems()).toEqual({});
    await until(async () => (await archive.lag()).size === 0, 'the archive has passed all');
    expect(await rows.lag()).toEqual(new Map([['ugc.click', 20]]));
    await until(async () => (await buffer.stats()).events === 20, 'what both have passed is gone');
    tables.resume('click');
    await until(isEmpty(buffer), 'both have passed all');
    expect(tables.rows('click').size).toBe(20);
    const told: [string, number][] = [
      ['click', 20],
      ['page_view', 30],
    ];
    expect([toTables, toFiles].map(each => [...each.rows].toSorted())).toEqual([told, told]);
    await archive.stop();
    await buffer.append(stored(1, 'click', 'later'));
    await until(() => tables.rows('click').size === 21, 'one goes on without the other');
    expect((await buffer.stats()).events).toBe(1);
  } finally {
    await Promise.all(moving.splice(0).map(each => each.stop()));
    await buffer.close();
    rmSync(folder, { recursive: true });
  }
});
