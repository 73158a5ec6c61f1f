// Where compacted days lie, for Hive, which reads one folder of a day: that of the last generation.
//
// Two may tell Hive at once, one of them what was so a moment ago. So each looks again when it has told, and tells what has
// changed: whoever tells last has looked last.

import type { ColdStore } from '../ports/cold-store.ts';
import type { HiveNews, HiveTables } from '../ports/hive-tables.ts';
import type { RowFormatName } from '../ports/row-format.ts';
import type { TableDefinition } from '../ports/tables.ts';
import { placeName } from './holdings.ts';
import { type CompactionPlace, compactionPlaceOf, compactionsFolder, generationFolder } from './layout.ts';

export type Generations = ReadonlyMap<string, CompactionPlace>;

/** The last one of each day of these, by `placeName`. Paths alone are read. */
export async function generationsOf(
  store: Pick<ColdStore, 'list'>,
  tables: readonly Pick<CompactionPlace, 'format' | 'type'>[],
  signal: AbortSignal,
): Promise<Generations> {
  const found = new Map<string, CompactionPlace>();
  for (const { format, type } of tables)
    for (const { path } of await store.list(`${compactionsFolder}/${format}/${type}`, signal)) {
      const place = compactionPlaceOf(path);
      if (place !== null) found.set(placeName(place), place);
    }
  return found;
}

/** Tells of the days of `news`, those that were compacted with where they lie. */
export async function tellWhere(
  tables: Pick<HiveTables, 'tell'>,
  news: readonly HiveNews[],
  store: Pick<ColdStore, 'list'>,
  signal: AbortSignal,
): Promise<void> {
  const of = news.map(({ definition, format }) => ({ format, type: definition.type }));
  for (let told = ''; ; ) {
    const placed = newsWith(news, await generationsOf(store, of, signal));
    const words = JSON.stringify(placed.map(({ folders }) => [...(folders ?? [])]));
    if (words === told) return;
    await tables.tell(placed, signal);
    told = words;
  }
}

const newsWith = (news: readonly HiveNews[], generations: Generations): HiveNews[] =>
  news.map(item => {
    const folders = new Map<string, string>();
    for (const day of item.days) {
      const place = generations.get(placeName({ format: item.format, type: item.definition.type, day }));
      if (place !== undefined) folders.set(day, generationFolder(place));
    }
    return { ...item, folders };
  });

/**
 * News of these days, of each type in every format in its order, since the view stands over the first. Types without a
 * definition, and those that Hive passes over, are left out.
 */
export function newsOf(
  places: readonly CompactionPlace[],
  formats: readonly RowFormatName[],
  definitionOf: (type: string) => TableDefinition | undefined,
): HiveNews[] {
  const news: HiveNews[] = [];
  for (const [type, own] of Map.groupBy(places, place => place.type)) {
    const definition = type.startsWith('_') ? undefined : definitionOf(type);
    if (definition === undefined) continue;
    for (const format of new Set([...formats, ...own.map(place => place.format)])) {
      const days = own.filter(place => place.format === format).map(({ day }) => day);
      news.push({ definition, format, days: days.toSorted() });
    }
  }
  return news;
}
