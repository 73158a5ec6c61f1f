// `ugc archive restore`: days of the archive back into the exact tables, or as lines of JSON.
//
// - What is restored is what the manifest names; a file whose bytes are others than it says stops the command.
// - A block has the same token each time, and a row the same event_id: restoring twice, half, or over what is there still,
//   makes each event one row.
// - What an older ugc archived is made into rows of today on the way, as the mover would.

import { aggregates } from '../../schemas/aggregates.ts';
import { tableOf } from '../../schemas/table.ts';
import { type ClickhouseSink, clickhouseSink } from '../adapters/clickhouse/write/sink.ts';
import { deadType } from '../archive/dead.ts';
import { readHoldings } from '../archive/holdings.ts';
import type { ArchivedFile } from '../archive/manifest.ts';
import { bytesOf, linesIn, readArchived } from '../archive/read-file.ts';
import { catalogueFor } from '../catalogue/type-folder.ts';
import type { Config } from '../config/config.ts';
import { flag, text } from '../config/kinds.ts';
import { PipelineError } from '../errors.ts';
import type { ColdStore } from '../ports/cold-store.ts';
import type { RowFormat, RowFormatName } from '../ports/row-format.ts';
import type { JudgeForeign } from '../ports/source.ts';
import type { TableDefinition } from '../ports/tables.ts';
import { type ArchiveWiring, byTypeAndDay, isInSpan, ofOneFormat, spanFlags, sumOf, withStore } from './archive.ts';
import { command, type Exit } from './arguments.ts';
import { inWords } from './failure.ts';
import { countOf, progressOf, say, writeOut } from './output.ts';
import { withTables } from './tables.ts';

export const restoreFlags = {
  ...spanFlags,
  database: text({
    default: '',
    takes: 'a name',
    pattern: /^[A-Za-z_][A-Za-z0-9_]{0,63}$|^$/,
    help: 'Into this database, made where there is none; that of the settings if not given',
  }),
  stdout: flag({ default: false, help: 'As lines of JSON on stdout instead, the bodies as the log had them' }),
};

export interface Restoring extends ArchiveWiring {
  readonly judgeOf: (config: Config) => JudgeForeign;
}

const never = new AbortController().signal;

/** Files at a time: one is read while another is inserted. */
const together = 2;
/** Rows of one insert at most. */
const blockRowsMax = 100_000;

export const restoreCommand = (wiring: Restoring) =>
  command(restoreFlags, ({ args, flags, config }) =>
    inWords(async (): Promise<Exit> => {
      if (args[0] !== undefined || (flags.from !== '' && flags.to !== '' && flags.from > flags.to)) {
        say(
          `ugc: ${args[0] === undefined ? '--from has to be no later than --to' : `${args[0]} is not understood`}; see ugc help archive`,
        );
        return 2;
      }
      return withStore(wiring, config, async store => {
        const { files, problems } = await readHoldings(store, never);
        for (const problem of problems) say(`ugc: ${problem}`);
        const wanted = byTypeAndDay(files.filter(isInSpan(flags)).filter(({ type }) => type !== deadType)).flatMap(
          group => ofOneFormat(group, config.archiveFormat),
        );
        const definitions = new Map(catalogueFor(config).types.map(type => [type.name, tableOf(type)]));
        const from = { store, formats: wiring.formatsOf(config), judge: wiring.judgeOf(config), config, definitions };
        const rows = flags.stdout
          ? await printed(wanted, from)
          : await restored(wanted, from, flags.database === '' ? config.clickhouseDatabase : flags.database);
        const told = { events: rows, files: wanted.length, days: new Set(wanted.map(({ day }) => day)).size, problems };
        if (flags.json && !flags.stdout) writeOut(`${JSON.stringify(told)}\n`);
        else
          say(`restored ${countOf(rows, 'event')} of ${countOf(told.days, 'day')} from ${countOf(told.files, 'file')}`);
        return problems.length === 0 ? 0 : 1;
      });
    }),
  );

interface Reading {
  readonly store: ColdStore;
  readonly formats: Readonly<Record<RowFormatName, RowFormat>>;
  readonly judge: JudgeForeign;
  readonly config: Config;
  readonly definitions: ReadonlyMap<string, TableDefinition>;
}

async function printed(files: readonly ArchivedFile[], { store, formats, definitions }: Reading): Promise<number> {
  for (const file of files)
    for await (const chunk of readArchived(store, formats, file, definitionIn(definitions, file))) writeOut(chunk);
  return sumOf(files, 'rows');
}

async function restored(files: readonly ArchivedFile[], from: Reading, database: string): Promise<number> {
  const { config, definitions } = from;
  return withTables(config, async ({ client, embedded }) => {
    const sink = clickhouseSink({
      client,
      database,
      tables: [...definitions.values()],
      migrate: config.clickhouseMigrate,
      timeoutMs: config.clickhouseTimeoutMs,
      embedded,
      cluster: config.clickhouseCluster,
      insertQuorum: config.clickhouseInsertQuorum,
      aggregates,
      refreshSeconds: config.clickhouseRefreshSeconds,
    });
    await sink.prepare();
    const progress = progressOf('restored', 'events');
    const all = sumOf(files, 'rows');
    let done = 0;
    const waiting = [...files];
    const restoreNext = async (): Promise<void> => {
      for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
        await restoreFile(file, from, sink);
        done += file.rows;
        progress.at(done, all);
      }
    };
    // What fails ends it once the other is done with its file: nothing is inserted behind the command's back.
    const ends = await Promise.allSettled(
      Array.from({ length: together }, () => restoreNext().finally(() => (waiting.length = 0))),
    );
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    progress.end();
    return done;
  });
}

/** A Parquet file of today's columns as it is: ClickHouse reads it by itself, at a fraction of what lines cost. */
async function restoreFile(file: ArchivedFile, from: Reading, sink: ClickhouseSink): Promise<void> {
  const definition = definitionIn(from.definitions, file);
  const isOlder = file.version < (definition.version ?? 1);
  if (file.format !== 'parquet' || isOlder) return restoreLines(file, { ...from, definition, isOlder }, sink);
  const { type, rows, sha256 } = file;
  const chunks = [await bytesOf(from.store, file)];
  try {
    await sink.insertParquet({ type, rows, chunks }, `restore-${sha256}`, never);
  } catch (error) {
    // Rows of before a column was added, in a file of after: line by line they have what is absent by its default.
    if (!(error instanceof PipelineError) || error.code !== 'sink_refused') throw error;
    await restoreLines(file, { ...from, definition, isOlder }, sink);
  }
}

interface ReadingLines extends Reading {
  readonly definition: TableDefinition;
  readonly isOlder: boolean;
}

async function restoreLines(
  file: ArchivedFile,
  { store, formats, judge, definition, isOlder }: ReadingLines,
  sink: ClickhouseSink,
): Promise<void> {
  let chunks: Uint8Array[] = [];
  let rows = 0;
  let blocks = 0;
  const insert = async (): Promise<void> => {
    if (rows > 0) await sink.insert({ type: file.type, rows, chunks }, `restore-${file.sha256}-${blocks++}`, never);
    [chunks, rows] = [[], 0];
  };
  for await (const chunk of readArchived(store, formats, file, definition)) {
    const lines = isOlder ? upgraded(chunk, file, judge) : chunk;
    chunks.push(lines);
    rows += linesIn(lines);
    if (rows >= blockRowsMax) await insert();
  }
  await insert();
}

function definitionIn(definitions: Reading['definitions'], { type, version, path }: ArchivedFile): TableDefinition {
  const definition = definitions.get(type);
  if (definition === undefined)
    throw new PipelineError(
      'archive_halted',
      `there is no definition of the event type ${type} (${path}): run this with the UGC_SCHEMAS_DIR of the archive, or leave the type out with --type`,
    );
  if (version > (definition.version ?? 1))
    throw new PipelineError(
      'archive_halted',
      `${path} is of version ${version} of ${type}, which only a newer ugc knows`,
    );
  return definition;
}

/** As the mover makes what an older ugc wrote into rows of today. */
function upgraded(chunk: Uint8Array, { type, path }: ArchivedFile, judge: JudgeForeign): Uint8Array {
  const bodies = Buffer.from(chunk)
    .toString()
    .trimEnd()
    .split('\n')
    .map(line => {
      const verdict = judge(
        { position: null, atMs: Date.now(), value: Buffer.from(line) },
        { topic: type, partition: 0 },
      );
      if (!verdict.ok)
        throw new PipelineError('archive_halted', `an event in ${path} cannot be made one of today: ${verdict.detail}`);
      return verdict.body;
    });
  return Buffer.from(`${bodies.join('\n')}\n`);
}
