// Where things lie below the root of a store (see manifest.ts): made and read back in this one place.

import type { RowFormat, RowFormatName } from '../ports/row-format.ts';
import type { ArchivedFile, Chain } from './manifest.ts';

export const manifestFolder = '_ugc/manifest';
export const plansFolder = '_ugc/plans';
export const compactionsFolder = '_ugc/compactions';

/** What stands for a log that says no identity of its own. */
const noLog = '-';

/** A name that is one part of a path, on every store: nothing in it is a separator, and no dot is at its beginning. */
const spelt = (part: string): string => encodeURIComponent(part).replace(/^\./, '%2E');

const chainPath = ({ topic, log, partition }: Chain): string =>
  `${spelt(topic)}/${log === '' ? noLog : spelt(log)}/${partition}`;

/** So many digits that names sort as numbers do. */
const digitsOf = (position: number): string => String(position).padStart(20, '0');

export const entriesOf = (chain: Chain): string => `${manifestFolder}/${chainPath(chain)}`;
export const entryPath = (chain: Chain, first: number): string => `${entriesOf(chain)}/${digitsOf(first)}.json`;
export const planPath = (chain: Chain, first: number): string =>
  `${plansFolder}/${chainPath(chain)}/${digitsOf(first)}.json`;

/** Of the path of an entry or plan; null: it is none. */
export function placeOf(path: string): (Chain & { readonly first: number }) | null {
  const found = /^_ugc\/(?:manifest|plans)\/([^/]+)\/([^/]+)\/(\d{1,9})\/(\d{20})\.json$/.exec(path);
  if (found === null) return null;
  const [, topic = '', log = '', partition, first] = found;
  return {
    topic: decodeURIComponent(topic),
    log: log === noLog ? '' : decodeURIComponent(log),
    partition: Number(partition),
    first: Number(first),
  };
}

export interface CompactionPlace {
  readonly format: RowFormatName;
  readonly type: string;
  readonly day: string;
  readonly generation: number;
}

export const compactionPath = ({ format, type, day, generation }: CompactionPlace): string =>
  `${compactionsFolder}/${format}/${type}/${day}/${digitsOfGeneration(generation)}.json`;

const digitsOfGeneration = (generation: number): string => String(generation).padStart(6, '0');

/** Of the path of a compaction; null: it is none. */
export function compactionPlaceOf(path: string): CompactionPlace | null {
  const found = /^_ugc\/compactions\/(parquet|csv)\/([^/]+)\/(\d{4}-\d\d-\d\d)\/(\d{6})\.json$/.exec(path);
  return found === null ? null : placeIn(found);
}

function placeIn([, format = '', type = '', day = '', generation]: RegExpExecArray): CompactionPlace {
  return { format: format as RowFormatName, type, day, generation: Number(generation) };
}

/** What compactions have made lies apart from what archivers write: no glob, and no table of Hive, is over both. */
export const compactedFolder = 'compacted';

/** Of one generation alone, so that Hive can be pointed from one to the next. */
export const generationFolder = ({ format, type, day, generation }: CompactionPlace): string =>
  `${compactedFolder}/${dayFolder({ format, type, day })}/g${digitsOfGeneration(generation)}`;

export interface CompactedName extends CompactionPlace {
  readonly extension: string;
  /** Among the files of its generation. */
  readonly index: number;
  /** Of the bytes, hex. */
  readonly sha256: string;
}

export const compactedPath = ({ extension, index, sha256, ...place }: CompactedName): string =>
  `${generationFolder(place)}/${place.type}-${index}-${sha256.slice(0, 16)}.${extension}`;

/** Of the path of a file that a compaction has made, or was about to; null: it is none. */
export function generationOf(path: string): CompactionPlace | null {
  const found = /^compacted\/(parquet|csv)\/([^/]+)\/dt=(\d{4}-\d\d-\d\d)\/g(\d{6})\/[^/]+$/.exec(path);
  return found === null ? null : placeIn(found);
}

export const dayFolder = ({ format, type, day }: Pick<ArchivedFile, 'format' | 'type' | 'day'>): string =>
  `${format}/${type}/dt=${day}`;

export interface FileName extends Chain {
  readonly format: Pick<RowFormat, 'name' | 'extension'>;
  readonly type: string;
  readonly day: string;
  readonly first: number;
  readonly last: number;
  /** Of the bytes, hex. */
  readonly sha256: string;
}

/** Without the bytes' hash, and what all of a range have in common: files of another ugc that wrote it, too. */
export const rangePrefix = (name: Omit<FileName, 'sha256'>): string =>
  `${dayFolder({ ...name, format: name.format.name })}/${name.type}-${name.partition}-${name.first}-${name.last}-${chainHash(name)}`;

export const filePath = (name: FileName): string =>
  `${rangePrefix(name)}${name.sha256.slice(0, 16)}.${name.format.extension}`;

/** Tells partitions of the same number apart: of another topic, or of another log of the same name. */
const chainHash = (chain: Chain): string =>
  new Bun.CryptoHasher('sha256').update(chainPath(chain)).digest('hex').slice(0, 8);

/** Of a moment in epoch milliseconds, UTC. */
export const dayOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);

export const isFormatName = (text: string): text is RowFormatName => text === 'parquet' || text === 'csv';
