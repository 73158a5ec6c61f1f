// Hive is told of every day there are files of, whatever fails in between, and of each only while it is new.

import { expect, test } from 'bun:test';
import pino from 'pino';
import type { ArchivedFile } from '../../../src/archive/manifest.ts';
import { startHiveTelling } from '../../../src/archive/tell-hive.ts';
import type { HiveNews } from '../../../src/ports/hive-tables.ts';
import { until } from '../../support/until.ts';

const definition = (type: string) => ({ type, summary: type, columns: [] });
const fileOf = (type: string, day: string): ArchivedFile =>
  ({ type, day, format: 'parquet', path: `parquet/${type}/dt=${day}/x.parquet` }) as ArchivedFile;

function telling(fails: { listings: number; tellings: number }) {
  const told: string[] = [];
  const hive = startHiveTelling({
    tables: {
      title: 'hive2://h',
      tell: async (news: readonly HiveNews[]) => {
        if (fails.tellings-- > 0) throw new Error('Hive is away');
        for (const { definition: of, format, days } of news) told.push(`${format} ${of.type} ${days.join(' ')}`);
      },
      close: async () => {},
    },
    store: {
      list: async folder => {
        if (fails.listings-- > 0) throw new Error('the store is away');
        return folder === 'parquet/click' ? [{ path: 'parquet/click/dt=2026-11-01/a.parquet', bytes: 1 }] : [];
      },
    },
    formats: ['parquet'],
    types: () => ['click', 'page_view'],
    definitionOf: type => (type === 'gone' ? undefined : definition(type)),
    logger: pino({ level: 'silent' }),
    retryMsMin: 1,
    retryMsMax: 4,
  });
  return { hive, told };
}

test('what lies there at the start, and what is entered after it', async () => {
  const { hive, told } = telling({ listings: 0, tellings: 0 });
  await until(() => told.length === 1, 'what lies there');
  hive.entered({ files: [fileOf('page_view', '2026-11-03'), fileOf('page_view', '2026-11-02'), fileOf('gone', 'x')] });
  await until(() => told.length === 2, 'what was entered');
  expect(told).toEqual(['parquet click 2026-11-01', 'parquet page_view 2026-11-02 2026-11-03']);
  expect(hive.problem()).toBeNull();
  await hive.stop();
  await hive.stop();
});

test('while Hive or the files are away nothing is forgotten, and it is said', async () => {
  const { hive, told } = telling({ listings: 2, tellings: 3 });
  hive.entered({ files: [fileOf('page_view', '2026-11-02')] });
  await until(() => hive.problem() === 'Hive is away', 'words');
  hive.entered({ files: [fileOf('click', '2026-11-05')] });
  await until(() => told.length === 2 && hive.problem() === null, 'all of it');
  expect(told.toSorted()).toEqual(['parquet click 2026-11-01 2026-11-05', 'parquet page_view 2026-11-02']);
  await hive.stop();
});
