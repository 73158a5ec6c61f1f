import { expect, test } from 'bun:test';
import { startHiveTelling } from '../../../src/archive/hive-news.ts';
import type { Entry } from '../../../src/archive/manifest.ts';
import { PipelineError } from '../../../src/errors.ts';
import type { HiveNews } from '../../../src/ports/hive-tables.ts';
import { quietLogger } from '../../support/quiet.ts';
import { until } from '../../support/until.ts';

const entry = (...files: readonly (readonly [string, string])[]): Entry => ({
  ...{ topic: 't', log: '', partition: 0, first: 0, last: 0, formats: ['parquet'], records: 1, dead: 0, missing: [] },
  ...{ by: '', at: '' },
  files: files.map(([type, day]) => ({
    ...{ path: '', format: 'parquet' as const, type, version: 1, day, rows: 1, bytes: 1, sha256: '' },
    ...{ receivedFromMs: 0, receivedToMs: 0 },
  })),
});

test('what Hive refuses is told again, with what has come meanwhile, and never awaited', async () => {
  const told: (readonly HiveNews[])[] = [];
  let refusals = 2;
  const telling = startHiveTelling({
    hive: {
      title: 'hive',
      tell: async news => {
        if (refusals-- > 0) throw new PipelineError('archive_unavailable', 'Hive is away');
        told.push(news);
      },
      close: async () => {},
    },
    definitionOf: type => ({ type, summary: '', columns: [] }),
    logger: quietLogger,
    retryMs: 5,
  });
  telling.entered(entry(['click', '2026-11-02'], ['_dead', '2026-11-02']));
  await until(() => 'hive' in telling.problems(), 'the trouble in words');
  telling.entered(entry(['click', '2026-11-01'], ['view', '2026-11-01']));
  await until(() => told.length > 0 && !('hive' in telling.problems()), 'all told');
  const days = told.flat().map(({ definition, days }) => [definition.type, days]);
  expect(days).toEqual([
    ['click', ['2026-11-01', '2026-11-02']],
    ['view', ['2026-11-01']],
  ]);
  await telling.stop();
});
