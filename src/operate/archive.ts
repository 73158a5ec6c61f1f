// `ugc archive …`: what the cold archive holds, whether it is whole, and days brought back.

import type { ArchivedFile } from '../archive/manifest.ts';
import type { Config } from '../config/config.ts';
import { flag, text } from '../config/kinds.ts';
import { PipelineError } from '../errors.ts';
import type { ColdStore } from '../ports/cold-store.ts';
import type { RowFormat, RowFormatName } from '../ports/row-format.ts';

/** How commands reach the archive of the settings; given by main, which knows the adapters. */
export interface ArchiveWiring {
  readonly storeOf: (config: Config) => ColdStore;
  readonly formatsOf: (config: Config) => Readonly<Record<RowFormatName, RowFormat>>;
}

const day = (help: string) =>
  text({ default: '', takes: 'YYYY-MM-DD', pattern: /^(\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]))?$/, help });

export const spanFlags = {
  from: day('From this day on, UTC, by when the server took the events; from the first if not given'),
  to: day('Up to and with this day; to the last if not given'),
  type: text({ default: '', takes: 'an event type', help: 'Of this type alone' }),
  json: flag({ default: false, help: 'One JSON object instead of text for people' }),
};

export interface DaySpan {
  readonly from: string;
  readonly to: string;
  readonly type: string;
}

export const isInSpan =
  ({ from, to, type }: DaySpan) =>
  (file: Pick<ArchivedFile, 'type' | 'day'>): boolean =>
    (type === '' || file.type === type) && (from === '' || file.day >= from) && (to === '' || file.day <= to);

/** Throws `config_invalid` where no archive is named. */
export async function withStore<T>(
  { storeOf }: ArchiveWiring,
  config: Config,
  use: (store: ColdStore) => Promise<T>,
): Promise<T> {
  if (config.archiveUrl === '')
    throw new PipelineError(
      'config_invalid',
      'which archive? Set UGC_ARCHIVE_URL (--archive-url) to that of the role archive',
    );
  const store = storeOf(config);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** By type and day, in order. */
export const byTypeAndDay = (files: readonly ArchivedFile[]): readonly (readonly ArchivedFile[])[] =>
  [...Map.groupBy(files, ({ type, day: on }) => `${type} ${on}`).values()].toSorted(([a], [b]) =>
    a!.type === b!.type ? (a!.day < b!.day ? -1 : 1) : a!.type < b!.type ? -1 : 1,
  );

/** Files of one format of each, since each has all of the rows: the first of the settings' that has files. */
export function ofOneFormat(files: readonly ArchivedFile[], wanted: readonly RowFormatName[]): readonly ArchivedFile[] {
  const there = new Set(files.map(({ format }) => format));
  const one = wanted.find(name => there.has(name)) ?? files[0]?.format;
  return files.filter(({ format }) => format === one);
}

export const sumOf = (files: readonly ArchivedFile[], what: 'rows' | 'bytes'): number =>
  files.reduce((sum, file) => sum + file[what], 0);
