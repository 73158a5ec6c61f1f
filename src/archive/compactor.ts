// A run over the archive: what was replaced long enough ago is taken away, and of each type, day and format with many small
// files a new generation is made.
//
// - What is taken away: files that a compaction has replaced, once its grace has passed, as somebody may be reading by a
//   manifest of before; and what lies in the folder of a closed generation without being of it. Never anything else.
// - Before anything is taken away the files that stand in its place are seen to be there, and Hive, where there is one, is
//   told of where they are: until it has been, it reads the old ones.
// - A generation that somebody has begun is finished by the next run: its files are then named, or removed.

import { PipelineError } from '../errors.ts';
import type { ColdFile } from '../ports/cold-store.ts';
import { type CompactDayOptions, compactDay } from './compact-day.ts';
import { type Holdings, placeName, readHoldings } from './holdings.ts';
import { type CompactionPlace, compactedFolder, generationOf } from './layout.ts';
import type { ArchivedFile, Compaction } from './manifest.ts';

export interface CompactingOptions extends Omit<CompactDayOptions, 'onRead'> {
  readonly isWanted: (file: Pick<ArchivedFile, 'type' | 'day'>) => boolean;
  /** So many small files are worth it. */
  readonly filesMin: number;
  /** From a compaction until what it replaced is taken away. */
  readonly graceMs: number;
  /** Tells Hive where these generations lie; null: nobody is to be told. */
  readonly tell: ((places: readonly CompactionPlace[]) => Promise<void>) | null;
  /** Says what would be done. */
  readonly isDry: boolean;
  readonly onProgress?: (filesRead: number, of: number) => void;
}

export interface CompactionReport {
  readonly days: readonly CompactedDay[];
  readonly removed: Sum;
  /** Replaced, and within their grace. */
  readonly waiting: Sum;
  /** In words; with any of them something was not done. */
  readonly problems: readonly string[];
}

export interface CompactedDay {
  readonly type: string;
  readonly day: string;
  readonly format: string;
  readonly events: number;
  /** Before. */
  readonly files: number;
  readonly bytes: number;
  /** After; null: it was left as it is, or nothing was to be done but said. */
  readonly into: Sum | null;
  /** Why it was left, in words. */
  readonly left: string | null;
}

export interface Sum {
  readonly files: number;
  readonly bytes: number;
}

/** Rejects with the store's errors; what was done until then holds. */
export async function compactArchive(options: CompactingOptions): Promise<CompactionReport> {
  const { store, signal, isDry } = options;
  const holdings = await readHoldings(store, signal);
  const nothing = { files: 0, bytes: 0 };
  if (holdings.problems.length > 0)
    return { days: [], removed: nothing, waiting: nothing, problems: holdings.problems };
  const problems: string[] = [];
  const seen = await seenIn(holdings, options);
  const aside = setAside(holdings, seen, options);
  const leftovers = await toldOf(aside, problems, options);
  if (!isDry) for (const { path } of leftovers) await store.remove(path, signal);

  const days = await compacted(dueIn(holdings, seen, options), problems, options);
  const made = days.flatMap(({ place, day }) => (day.into === null || isDry ? [] : [place]));
  await tell(made, problems, options);
  return {
    days: days.map(({ day }) => day),
    removed: sumOf(leftovers),
    waiting: sumOf(aside.waiting.map(({ file }) => file)),
    problems,
  };
}

const sumOf = (files: readonly { readonly bytes: number }[]): Sum => ({
  files: files.length,
  bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
});

/** What lies there, by path: of the types that have a compaction, and all that compactions have made or begun. */
async function seenIn({ compactions }: Holdings, { store, signal, isWanted }: CompactingOptions) {
  const seen = new Map<string, ColdFile>();
  const types = new Set(compactions.filter(isWanted).map(({ format, type }) => `${format}/${type}`));
  for (const folder of [compactedFolder, ...types])
    for (const file of await store.list(folder, signal)) seen.set(file.path, file);
  return seen;
}

type Seen = ReadonlyMap<string, ColdFile>;

interface Leftover {
  readonly file: ColdFile;
  /** The generation that stands in its place. */
  readonly place: CompactionPlace;
}

interface SetAside {
  readonly over: readonly Leftover[];
  readonly waiting: readonly Leftover[];
  readonly problems: readonly string[];
}

function setAside(
  { compactions }: Holdings,
  seen: Seen,
  { isWanted, graceMs, now, store }: CompactingOptions,
): SetAside {
  const over: Leftover[] = [];
  const waiting: Leftover[] = [];
  const problems: string[] = [];
  const folders = Map.groupBy([...seen.values()], ({ path }) => {
    const of = generationOf(path);
    return of === null ? '' : placeName(of);
  });
  for (const [name, generations] of Map.groupBy(compactions.filter(isWanted), placeName)) {
    const place = generations.at(-1) as Compaction;
    const missing = place.files.find(({ path, bytes }) => seen.get(path)?.bytes !== bytes);
    if (missing !== undefined) {
      problems.push(
        `${missing.path} in ${store.title} is not there, or not whole: what it replaces is kept (ugc archive verify)`,
      );
      continue;
    }
    for (const { replaces, at } of generations)
      for (const path of replaces) {
        const file = seen.get(path);
        // A moment that cannot be read is never over.
        if (file !== undefined) (now() - Date.parse(at) >= graceMs ? over : waiting).push({ file, place });
      }
    const named = new Set(generations.flatMap(({ files }) => files.map(({ path }) => path)));
    for (const file of folders.get(name) ?? []) {
      const { generation = 0 } = generationOf(file.path) ?? {};
      if (generation <= place.generation && !named.has(file.path)) over.push({ file, place });
    }
  }
  return { over, waiting, problems };
}

/** What may go: all of it once Hive knows. Told of what waits, too: who made that may have died before. */
async function toldOf(
  { over, waiting, problems: found }: SetAside,
  problems: string[],
  options: CompactingOptions,
): Promise<readonly ColdFile[]> {
  problems.push(...found);
  const places = new Map([...over, ...waiting].map(({ place }) => [placeName(place), place]));
  const isTold = options.isDry || (await tell([...places.values()], problems, options));
  return isTold ? over.map(({ file }) => file) : [];
}

async function tell(
  places: readonly CompactionPlace[],
  problems: string[],
  options: CompactingOptions,
): Promise<boolean> {
  if (options.tell === null || places.length === 0) return true;
  try {
    await options.tell(places);
    return true;
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    problems.push(`Hive was not told, so what it reads is kept: ${error.message}`);
    return false;
  }
}

interface Due {
  /** With the generation that is to be made. */
  readonly place: CompactionPlace;
  readonly files: readonly ArchivedFile[];
}

/** As a part of what a file is closed at: JSON is several times what it becomes in Parquet. */
const smallShare = 1 / 8;

function dueIn(
  { files, compactions }: Holdings,
  seen: Seen,
  { isWanted, filesMin, fileBytes, tell: hive }: CompactingOptions,
): Due[] {
  const latest = new Map(compactions.map(({ generation, ...place }) => [placeName(place), generation]));
  const begun = new Set([...seen.keys()].map(path => generationOf(path)).map(place => place && nameOf(place)));
  const due: Due[] = [];
  for (const [name, group] of Map.groupBy(files.filter(isWanted), placeName)) {
    const before = latest.get(name) ?? 0;
    const { format, type, day } = group[0] as ArchivedFile;
    const place = { format, type, day, generation: before + 1 };
    const loose = group.filter(({ path }) => generationOf(path) === null);
    const small = loose.filter(({ bytes }) => bytes < fileBytes * smallShare);
    // Hive reads one folder of a day: what came after a compaction is in no other.
    const isLate = hive !== null && before > 0;
    if (small.length >= filesMin || (loose.length > 0 && (isLate || begun.has(nameOf(place)))))
      due.push({ place, files: group });
  }
  return due.toSorted((a, b) => (nameOf(a.place) < nameOf(b.place) ? -1 : 1));
}

const nameOf = (place: CompactionPlace): string => `${placeName(place)}/${place.generation}`;

async function compacted(due: readonly Due[], problems: string[], options: CompactingOptions) {
  const { isDry, onProgress } = options;
  const all = due.reduce((sum, { files }) => sum + files.length, 0);
  const days: { readonly place: CompactionPlace; readonly day: CompactedDay }[] = [];
  let read = 0;
  const onRead = (): void => onProgress?.(++read, all);
  for (const { place, files } of due) {
    const { format, type, day } = place;
    const events = files.reduce((sum, { rows }) => sum + rows, 0);
    const before = { type, day, format, events, ...sumOf(files) };
    const into = isDry ? null : await attempt({ place, files }, problems, { ...options, onRead });
    const left = typeof into === 'string' ? into : null;
    days.push({ place, day: { ...before, into: typeof into === 'string' ? null : into, left } });
  }
  return days;
}

/** What became of it; in words why nothing did; null: it is damaged. */
async function attempt(
  { place, files }: Due,
  problems: string[],
  options: CompactDayOptions,
): Promise<Sum | string | null> {
  try {
    const done = await compactDay(place, files, options);
    if (done.is === 'made') return sumOf(done.compaction.files);
    return done.is === 'left' ? done.why : 'another has done it meanwhile';
  } catch (error) {
    if (!(error instanceof PipelineError) || error.code !== 'archive_halted') throw error;
    problems.push(error.message);
    return null;
  }
}
