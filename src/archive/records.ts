// Plans, entries and compactions as files: written once, read back with every part looked at, as anybody may have changed them.

import { PipelineError } from '../errors.ts';
import type { ColdStore } from '../ports/cold-store.ts';
import { compactionPath, compactionPlaceOf, entriesOf, entryPath, isFormatName, placeOf, planPath } from './layout.ts';
import type { Chain, Compaction, Entry, Plan } from './manifest.ts';

const encoder = new TextEncoder();
const bytesOf = (value: Plan | Entry | Compaction): Uint8Array => encoder.encode(`${JSON.stringify(value, null, 1)}\n`);

/** The one that holds: this, or what another has made in its place. */
export const settlePlan = (store: ColdStore, plan: Plan, signal: AbortSignal): Promise<Plan> =>
  settle({ store, path: planPath(plan, plan.first), value: plan, read: readPlan, signal });

export const settleEntry = (store: ColdStore, entry: Entry, signal: AbortSignal): Promise<Entry> =>
  settle({ store, path: entryPath(entry, entry.first), value: entry, read: readEntry, signal });

export const settleCompaction = (store: ColdStore, compaction: Compaction, signal: AbortSignal): Promise<Compaction> =>
  settle({ store, path: compactionPath(compaction), value: compaction, read: readCompaction, signal });

interface Settling<T> {
  readonly store: ColdStore;
  readonly path: string;
  readonly value: T;
  readonly read: (store: ColdStore, path: string, signal: AbortSignal) => Promise<T | null>;
  readonly signal: AbortSignal;
}

/** The very object that was given, when it is the one. */
async function settle<T extends Plan | Entry | Compaction>({
  store,
  path,
  value,
  read,
  signal,
}: Settling<T>): Promise<T> {
  if (await store.create(path, bytesOf(value), signal)) return value;
  const theirs = await read(store, path, signal);
  if (theirs === null) throw new PipelineError('archive_unavailable', `${path} in ${store.title} is there and is not`);
  return theirs;
}

/** Null: the chain has none yet. */
export async function lastEntry(store: ColdStore, chain: Chain, signal: AbortSignal): Promise<Entry | null> {
  const files = await store.list(entriesOf(chain), signal);
  const last = files.findLast(({ path }) => placeOf(path) !== null);
  return last === undefined ? null : readEntry(store, last.path, signal);
}

export const openPlan = (store: ColdStore, chain: Chain, first: number, signal: AbortSignal): Promise<Plan | null> =>
  readPlan(store, planPath(chain, first), signal);

const readPlan = (store: ColdStore, path: string, signal: AbortSignal): Promise<Plan | null> =>
  readJson(store, path, signal, isPlan);

export const readEntry = (store: ColdStore, path: string, signal: AbortSignal): Promise<Entry | null> =>
  readJson(store, path, signal, isEntry);

async function readJson<T extends Plan>(
  store: ColdStore,
  path: string,
  signal: AbortSignal,
  is: (value: unknown) => value is T,
): Promise<T | null> {
  const bytes = await store.read(path, signal);
  if (bytes === null) return null;
  const value = parsed(bytes);
  const place = placeOf(path);
  if (!is(value) || place === null || value.first !== place.first || value.topic !== place.topic)
    throw new PipelineError(
      'archive_halted',
      `${path} in ${store.title} is damaged, and nothing is archived of its partition until it is mended or taken away`,
    );
  return value;
}

/** Null: there is none. Rejects with `archive_halted` when it is damaged. */
export async function readCompaction(store: ColdStore, path: string, signal: AbortSignal): Promise<Compaction | null> {
  const bytes = await store.read(path, signal);
  if (bytes === null) return null;
  const value = parsed(bytes);
  const place = compactionPlaceOf(path);
  if (!isCompaction(value) || place === null || compactionPath(value) !== path)
    throw new PipelineError('archive_halted', `${path} in ${store.title} is damaged: it is no compaction`);
  return value;
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return null;
  }
}

const isPosition = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function isPlan(value: unknown): value is Plan {
  if (typeof value !== 'object' || value === null) return false;
  const { topic, log, partition, first, last, formats } = value as Partial<Plan>;
  return (
    typeof topic === 'string' &&
    typeof log === 'string' &&
    isPosition(partition) &&
    isPosition(first) &&
    isPosition(last) &&
    last >= first &&
    Array.isArray(formats) &&
    formats.length > 0 &&
    formats.every(isFormatName)
  );
}

function isEntry(value: unknown): value is Entry {
  if (!isPlan(value)) return false;
  const { records, dead, missing, files } = value as Partial<Entry>;
  return (
    isPosition(records) && isPosition(dead) && Array.isArray(missing) && Array.isArray(files) && files.every(isFile)
  );
}

const isFile = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  const { path, type, day, rows, sha256 } = value as Partial<Entry['files'][number]>;
  return [path, type, day, sha256].every(text => typeof text === 'string') && isPosition(rows);
};

function isCompaction(value: unknown): value is Compaction {
  if (typeof value !== 'object' || value === null) return false;
  const { format, type, day, generation, replaces, files, at } = value as Partial<Compaction>;
  return (
    typeof format === 'string' &&
    isFormatName(format) &&
    [type, day, at].every(text => typeof text === 'string') &&
    isPosition(generation) &&
    Array.isArray(replaces) &&
    replaces.every(path => typeof path === 'string') &&
    Array.isArray(files) &&
    files.every(isFile)
  );
}
