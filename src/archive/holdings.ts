// What the archive holds, from its manifest alone: every chain entry by entry, and which files are read today.
//
// Anybody may have changed what lies in a store: what is damaged, missing or twice is said, never guessed at.

import { messageOf, PipelineError } from '../errors.ts';
import type { ColdStore } from '../ports/cold-store.ts';
import {
  type CompactionPlace,
  compactionPath,
  compactionPlaceOf,
  compactionsFolder,
  manifestFolder,
  placeOf,
} from './layout.ts';
import type { ArchivedFile, Chain, Compaction, Entry } from './manifest.ts';
import { readCompaction, readEntry } from './records.ts';

export interface Holdings {
  readonly entries: readonly Entry[];
  /** Of each type, day and format, without what a compaction has replaced. */
  readonly files: readonly ArchivedFile[];
  /** Every generation, those of a type, day and format in order. */
  readonly compactions: readonly Compaction[];
  /** In words what is wrong with the manifest itself; none in a whole one. */
  readonly problems: readonly string[];
}

/** Read at once: a store that is far away takes its time for each. */
const togetherMax = 16;

/** Rejects with the store's errors; what can be read and is wrong is a problem. */
export async function readHoldings(
  store: ColdStore,
  signal: AbortSignal,
  onRead: (done: number, of: number) => void = () => {},
): Promise<Holdings> {
  const problems: string[] = [];
  // Before the entries: those that a compaction replaces are there by then.
  const compactions = await compactionsIn(store, signal, problems);
  const paths = (await store.list(manifestFolder, signal)).map(({ path }) => path);
  const strange = paths.filter(path => placeOf(path) === null);
  problems.push(...strange.map(path => `${path} is no entry of a manifest`));
  const entries: Entry[] = [];
  const wanted = paths.filter(path => placeOf(path) !== null);
  for (let at = 0; at < wanted.length; at += togetherMax) {
    const some = wanted.slice(at, at + togetherMax);
    const read = await Promise.all(some.map(path => orProblem(() => readEntry(store, path, signal), problems)));
    entries.push(...read.filter(entry => entry !== null));
    onRead(entries.length, wanted.length);
  }
  const chains = Map.groupBy(entries, chainName);
  for (const [name, chain] of chains) problems.push(...gapsIn(name, chain));
  return { entries, files: filesOf(entries, compactions, problems), compactions, problems };
}

/** Damage is a problem of that file, and the others are read all the same. */
async function orProblem<T>(read: () => Promise<T | null>, problems: string[]): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof PipelineError) || error.code !== 'archive_halted') throw error;
    problems.push(messageOf(error));
    return null;
  }
}

export const chainName = ({ topic, log, partition }: Chain): string =>
  `${topic}/${partition}${log === '' ? '' : ` of log ${log}`}`;

/** An entry that was taken away, or two of the same records. */
function gapsIn(name: string, chain: readonly Entry[]): string[] {
  let next = 0;
  return chain
    .toSorted((a, b) => a.first - b.first)
    .flatMap(({ first, last }) => {
      const from = next;
      next = Math.max(next, last + 1);
      if (first > from) return [`the manifest of ${name} lacks positions ${from} to ${first - 1}`];
      return first < from
        ? [`the manifest of ${name} has positions ${first} to ${Math.min(last, from - 1)} twice`]
        : [];
    });
}

/**
 * Each generation up to the last one that is seen, whether the listing had it or not: one that was made while it went on may
 * be missing in it though the next one is there, and without it files of two generations would be read.
 */
async function compactionsIn(store: ColdStore, signal: AbortSignal, problems: string[]): Promise<Compaction[]> {
  const latest = new Map<string, CompactionPlace>();
  for (const { path } of await store.list(compactionsFolder, signal)) {
    const place = compactionPlaceOf(path);
    if (place === null) problems.push(`${path} is no compaction of a manifest`);
    else latest.set(placeName(place), place);
  }
  const wanted = [...latest.values()].flatMap(place =>
    Array.from({ length: place.generation }, (_, at) => compactionPath({ ...place, generation: at + 1 })),
  );
  const found: Compaction[] = [];
  for (let at = 0; at < wanted.length; at += togetherMax) {
    const some = wanted.slice(at, at + togetherMax);
    const read = await Promise.all(
      some.map(path => orProblem(() => readCompactionThere(store, path, signal), problems)),
    );
    found.push(...read.filter(compaction => compaction !== null));
  }
  return found;
}

async function readCompactionThere(store: ColdStore, path: string, signal: AbortSignal): Promise<Compaction> {
  const compaction = await readCompaction(store, path, signal);
  if (compaction === null)
    throw new PipelineError('archive_halted', `${path} in ${store.title} is not there, and a later one is`);
  return compaction;
}

/** What has generations of its own. */
export const placeName = ({ format, type, day }: Omit<CompactionPlace, 'generation'>): string =>
  `${format}/${type}/${day}`;

/** Generation by generation: each takes away what it replaces, and brings its own. */
function filesOf(entries: readonly Entry[], compactions: readonly Compaction[], problems: string[]): ArchivedFile[] {
  const files = new Map<string, ArchivedFile>();
  for (const file of entries.flatMap(entry => entry.files)) {
    if (files.has(file.path)) problems.push(`${file.path} is in two entries of the manifest`);
    files.set(file.path, file);
  }
  for (const { replaces, files: made } of compactions) {
    for (const path of replaces) if (!files.delete(path)) problems.push(`${path} was replaced and is in no manifest`);
    for (const file of made) files.set(file.path, file);
  }
  return [...files.values()];
}
