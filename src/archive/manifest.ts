// The manifest: what the archive holds. Who reads it trusts this alone, whatever else lies in the folders.
//
// - A chain for each partition of a log: entry after entry, the first one from position 0, each other from behind the last of
//   the one before, whatever is there: so where the next one begins is known by all who have read the same. An entry is a file
//   named by where it begins, created where none is (ColdStore.create): of two archivers that go on from the same place one
//   has made the entry, the other finds it and follows. So no record is in two entries.
// - A plan is made in the same way before the files are: it fixes the borders, so that who goes on after a death writes the
//   same names and bytes, and who is late follows. The entry is the commit; the log's own position moves after it.
// - Compaction puts one file in the place of many of a type and day, as a generation of its own (compactions/), made in the
//   same way: of two that make the same generation one has made it.
//
// Layout below the root; Hive and others pass over names that begin with _.
//   <format>/<type>/dt=YYYY-MM-DD/<type>-<partition>-<first>-<last>-<hash>.<ext>     what is read
//   compacted/<format>/<type>/dt=YYYY-MM-DD/g<generation>/<type>-<n>-<hash>.<ext>    the same, compacted
//   _ugc/plans/<chain>/<first>.json        Plan
//   _ugc/manifest/<chain>/<first>.json     Entry
//   _ugc/compactions/<format>/<type>/<day>/<generation>.json   Compaction
// <chain>: <topic>/<log>/<partition>, each part spelt for paths (encodeURIComponent); <first>: 20 digits, so that names sort.

import type { RowFormatName } from '../ports/row-format.ts';

/** Where a chain goes on: a partition of one log. */
export interface Chain {
  readonly topic: string;
  /** Identity of the log its positions are of; '' where the log says none. */
  readonly log: string;
  readonly partition: number;
}

/** Borders of what becomes one entry: every record of the chain from `first` to `last`, inclusive. */
export interface Plan extends Chain {
  readonly first: number;
  readonly last: number;
  readonly formats: readonly RowFormatName[];
}

export interface ArchivedFile {
  /** Below the root. */
  readonly path: string;
  readonly format: RowFormatName;
  readonly type: string;
  /** Version of the type's definition its columns are of. */
  readonly version: number;
  /** YYYY-MM-DD of `received_at`, UTC. */
  readonly day: string;
  readonly rows: number;
  readonly bytes: number;
  /** SHA-256 of its bytes, hex. */
  readonly sha256: string;
  /** Of its rows, epoch milliseconds. */
  readonly receivedFromMs: number;
  readonly receivedToMs: number;
}

export interface Entry extends Plan {
  /** Records between the borders that are in the files, of each format alike. */
  readonly records: number;
  /** Records that can be no event: kept as they are, in files of the type `_dead` (dead.ts has its columns). */
  readonly dead: number;
  /** Positions between the borders that a log without gaps no longer had when the archive came to them; none in most. */
  readonly missing: readonly { readonly first: number; readonly last: number }[];
  readonly files: readonly ArchivedFile[];
  /** By which ugc, and when, ISO 8601. */
  readonly by: string;
  readonly at: string;
}

export interface Compaction {
  readonly format: RowFormatName;
  readonly type: string;
  readonly day: string;
  /** 1, 2, 3…; the last one holds. */
  readonly generation: number;
  /** Paths that are read no more: of entries, or of the generation before. */
  readonly replaces: readonly string[];
  readonly files: readonly ArchivedFile[];
  readonly at: string;
}
