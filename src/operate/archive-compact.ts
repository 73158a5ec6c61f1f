// `ugc archive compact`: few files in the place of many, by type, day and format.
//
// - Days that are over, and two UGC_ARCHIVE_FILE_SECONDS more, as records of them may still be gathered; --to may name others.
// - What was replaced stays for its grace, and is taken away by a later run.

import { tableOf } from '../../schemas/table.ts';
import { type CompactedDay, type CompactionReport, compactArchive } from '../archive/compactor.ts';
import { deadTable } from '../archive/dead.ts';
import { newsOf, tellWhere } from '../archive/generations.ts';
import type { CompactionPlace } from '../archive/layout.ts';
import { catalogueFor } from '../catalogue/type-folder.ts';
import type { Config } from '../config/config.ts';
import { flag, integer } from '../config/kinds.ts';
import type { ColdStore } from '../ports/cold-store.ts';
import type { HiveTables } from '../ports/hive-tables.ts';
import type { TableDefinition } from '../ports/tables.ts';
import { type ArchiveWiring, type DaySpan, isInSpan, spanFlags, withStore } from './archive.ts';
import { command, type Exit } from './arguments.ts';
import { inWords } from './failure.ts';
import { countOf, progressOf, say, size, table, writeOut } from './output.ts';

export const compactFlags = {
  ...spanFlags,
  filesMin: integer({ default: 8, min: 2, max: 1_000_000, help: 'Of a type, day and format, so many small files' }),
  grace: integer({
    default: 24,
    min: 0,
    max: 8_760,
    help: 'Hours until what was replaced is taken away: longer than anybody reads by a list of before',
  }),
  dryRun: flag({ default: false, help: 'Says what would be done, and does nothing' }),
};

export interface Compacting extends ArchiveWiring {
  /** Null: Hive is not told by ugc. */
  readonly hiveOf: (config: Config) => HiveTables | null;
}

export const compactCommand = (wiring: Compacting) =>
  command(compactFlags, ({ args, flags, config }) =>
    inWords(async (): Promise<Exit> => {
      if (args[0] !== undefined || (flags.from !== '' && flags.to !== '' && flags.from > flags.to)) {
        say(
          `ugc: ${args[0] === undefined ? '--from has to be no later than --to' : `${args[0]} is not understood`}; see ugc help archive`,
        );
        return 2;
      }
      const definitions = new Map(
        [...catalogueFor(config).types.map(tableOf), deadTable].map(definition => [definition.type, definition]),
      );
      return withStore(wiring, config, store =>
        withHive(wiring, config, async hive => {
          const progress = progressOf('compacted', 'files');
          const report = await compactArchive({
            store,
            formats: wiring.formatsOf(config),
            definitionOf: type => definitions.get(type),
            isWanted: wantedBy(flags, config),
            filesMin: flags.filesMin,
            fileBytes: config.archiveFileBytes,
            graceMs: flags.grace * 3_600_000,
            tell: hive === null ? null : places => toldWith(hive, places, { store, config, definitions }),
            isDry: flags.dryRun,
            now: Date.now,
            signal: new AbortController().signal,
            onProgress: progress.at,
          });
          progress.end();
          if (flags.json) writeOut(`${JSON.stringify({ dryRun: flags.dryRun, ...report })}\n`);
          else writeOut(textOf(report, flags.dryRun));
          for (const problem of report.problems) if (!flags.json) say(`ugc: ${problem}`);
          return report.problems.length === 0 ? 0 : 1;
        }),
      );
    }),
  );

const dayMs = 86_400_000;

/** A day that is not over is wanted only where it is named. */
function wantedBy(span: DaySpan, { archiveFileSeconds }: Config): (file: { type: string; day: string }) => boolean {
  const isIn = isInSpan(span);
  const overBefore = new Date(Date.now() - 2_000 * archiveFileSeconds - dayMs).toISOString().slice(0, 10);
  return file => isIn(file) && (file.day <= overBefore || span.to !== '');
}

async function withHive<T>({ hiveOf }: Compacting, config: Config, use: (hive: HiveTables | null) => Promise<T>) {
  const hive = hiveOf(config);
  try {
    return await use(hive);
  } finally {
    await hive?.close();
  }
}

interface Telling {
  readonly store: ColdStore;
  readonly config: Config;
  readonly definitions: ReadonlyMap<string, TableDefinition>;
}

async function toldWith(
  hive: HiveTables,
  places: readonly CompactionPlace[],
  { store, config, definitions }: Telling,
): Promise<void> {
  const news = newsOf(places, config.archiveFormat, type => definitions.get(type));
  if (news.length > 0) await tellWhere(hive, news, store, new AbortController().signal);
}

function textOf({ days, removed, waiting }: CompactionReport, isDry: boolean): string {
  const head = ['type', 'day', 'format', 'events', 'files', 'bytes', isDry ? 'is' : 'now'];
  const now = ({ into, left }: CompactedDay): string =>
    left ??
    (into === null ? (isDry ? 'to be compacted' : 'damaged') : `${countOf(into.files, 'file')}, ${size(into.bytes)}`);
  const rows = days.map(each => [each.type, each.day, each.format, each.events, each.files, each.bytes, now(each)]);
  const replaced = [
    ...(removed.files === 0
      ? []
      : [`${countOf(removed.files, 'file')}, ${size(removed.bytes)}, ${isDry ? 'to be taken away' : 'taken away'}`]),
    ...(waiting.files === 0
      ? []
      : [`${countOf(waiting.files, 'file')}, ${size(waiting.bytes)}, of before wait for the end of their grace`]),
  ];
  return [
    days.length === 0 ? 'Nothing is to be compacted.\n' : table(head, rows),
    ...replaced.map(line => `${line}\n`),
  ].join('');
}
