// What became of the records of an import, and how it is told.

import type { Imported } from './import-event.ts';
import type { TheirRecord } from './import-files.ts';
import { countOf, cut, plain, table } from './output.ts';

/** Of each reason, so many are shown. */
const examplesMax = 3;

interface Example {
  readonly file: string;
  readonly record: number;
  readonly detail: string;
}

export interface ImportTally {
  /** Looked at. */
  readonly records: number;
  readonly rejected: number;
  /** The last of which all is done, and of every one before it. */
  readonly last: { readonly file: string; readonly number: number } | null;
  readonly taken: ReadonlyMap<string, number>;
  /** By what they call it. */
  readonly skipped: ReadonlyMap<string, number>;
  readonly reasons: ReadonlyMap<string, { readonly records: number; readonly examples: readonly Example[] }>;
  look(record: TheirRecord, file: string, imported: Imported): void;
  /** An event of this type is in the log, or would be. */
  take(type: string): void;
  reached(file: string, number: number): void;
}

export function newTally(): ImportTally {
  const taken = new Map<string, number>();
  const skipped = new Map<string, number>();
  const reasons = new Map<string, { records: number; readonly examples: Example[] }>();
  let [records, rejected] = [0, 0];
  let last: ImportTally['last'] = null;
  const add = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
  return {
    get records() {
      return records;
    },
    get rejected() {
      return rejected;
    },
    get last() {
      return last;
    },
    taken,
    skipped,
    reasons,
    look({ number }, file, imported) {
      records++;
      if (imported.outcome === 'skipped') add(skipped, imported.kind);
      if (imported.outcome !== 'rejected') return;
      rejected++;
      let reason = reasons.get(imported.reason);
      if (reason === undefined) {
        reason = { records: 0, examples: [] };
        reasons.set(imported.reason, reason);
      }
      reason.records++;
      if (reason.examples.length < examplesMax) reason.examples.push({ file, record: number, detail: imported.detail });
    },
    take: type => add(taken, type),
    reached(file, number) {
      last = { file, number };
    },
  };
}

export interface Shown {
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly failure: string | null;
}

export function shownTally(tally: ImportTally, { dryRun, json, failure }: Shown): string {
  const { records, rejected, taken, skipped, reasons, last } = tally;
  if (json) {
    const told = { records, dry_run: dryRun, taken: Object.fromEntries(taken), skipped: Object.fromEntries(skipped) };
    return `${JSON.stringify({ ...told, rejected: Object.fromEntries(reasons), last, failure })}\n`;
  }
  const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((a, b) => a + b, 0);
  const verb = dryRun ? 'would import' : 'imported';
  const heading = `${verb} ${countOf(sum(taken), 'event')} of ${countOf(records, 'record')}; the mapping skips ${sum(skipped)}, ${rejected} rejected\n`;
  const types = taken.size === 0 ? '' : table(['type', 'events'], [...taken]);
  const left = skipped.size === 0 ? '' : table(['skipped', 'records'], [...skipped]);
  const why = [...reasons].map(
    ([reason, { records: count, examples }]) =>
      `${countOf(count, 'record')} rejected: ${reason}\n${examples
        .map(({ file, record, detail }) => `  ${plain(file)} record ${record}: ${cut(plain(detail), 200)}\n`)
        .join('')}`,
  );
  return heading + types + left + why.join('');
}
