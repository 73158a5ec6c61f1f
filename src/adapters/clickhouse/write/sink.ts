// The sink: blocks of rows into ClickHouse, each exactly once.
//
// - A block lands as one part or not at all: no partitions, parsed by one thread into one block, async_insert off.
// - Every insert of every process carries the same settings, so that a repetition with its token is recognised. Beyond
//   the table's window of tokens a repetition is still one row, by its event_ids (tables.ts).
// - Resolved = in the table, readable and on disk. An abort or a timeout = unknown: same block, same token again.
// - What would be refused is found out without the table, by inserting into a table function of the same columns that
//   stores nothing. It needs no table of its own, only CREATE TEMPORARY TABLE, which CREATE TABLE implies.
// - Inserts name the catalogue's columns: a table that lacks one halts (16), instead of costing the rows their field.

import { PipelineError } from '../../../errors.ts';
import type { DeadLetter, RowBlock, SinkWithDeadLetters } from '../../../ports/sink.ts';
import type { AggregateDefinition, Column, TableDefinition } from '../../../ports/tables.ts';
import { storableMsMax } from '../../../ports/tables.ts';
import type { ClickhouseClient } from '../client.ts';
import { sinkError } from '../errors.ts';
import { type Migrate, type PrepareOptions, prepareSchema } from '../schema/prepare.ts';
import { clusterInsertSettings } from '../schema/rows-table.ts';
import { deadLetterColumns, deadLettersTable, namesOf, rowsTable, tableName, wantedSchema } from '../schema/tables.ts';
import { quoteName, quoteText } from '../sql.ts';

export interface ClickhouseSinkOptions {
  readonly client: ClickhouseClient;
  readonly database: string;
  readonly tables: readonly TableDefinition[];
  readonly migrate: Migrate;
  /** An insert not answered by then has an unknown outcome. */
  readonly timeoutMs: number;
  /** The engine runs in this process. */
  readonly embedded: boolean;
  /** The name of the cluster the server is one node of; '' or nothing = it is alone. */
  readonly cluster?: string;
  /** Replicas of a shard that must have a block before it counts as inserted: a number, or `auto` for most of them. */
  readonly insertQuorum?: string;
  readonly aggregates?: readonly AggregateDefinition[];
  /** Between two computations of an aggregate of pace 1. */
  readonly refreshSeconds?: number;
  readonly log?: PrepareOptions['log'];
}

/** More than any block has: what is parsed stays one block, and one part. */
const blockRows = '1048576';

/** On every insert, always the same. */
const insertSettings = {
  async_insert: 0,
  // For views an operator hangs on a table: a repeated block reaches them if it has not yet, and no second time.
  deduplicate_blocks_in_dependent_materialized_views: 1,
  input_format_parallel_parsing: 0,
  max_insert_block_size: blockRows,
  min_insert_block_size_rows: blockRows,
  min_insert_block_size_bytes: '0',
  max_insert_threads: '1',
  date_time_input_format: 'best_effort',
  input_format_skip_unknown_fields: 0,
  input_format_json_read_objects_as_strings: 1,
  input_format_null_as_default: 0,
  input_format_defaults_for_omitted_fields: 1,
} as const;

export interface ClickhouseSink extends SinkWithDeadLetters {
  /** As `insert`, with the rows as one Parquet file whose columns are the definition's; `chunks` are its bytes. */
  insertParquet: SinkWithDeadLetters['insert'];
}

export function clickhouseSink(options: ClickhouseSinkOptions): ClickhouseSink {
  const { client, database, timeoutMs } = options;
  const settings = {
    ...insertSettings,
    ...(options.cluster ? clusterInsertSettings : {}),
    ...(options.cluster &&
      options.insertQuorum &&
      options.insertQuorum !== '0' && { insert_quorum: options.insertQuorum }),
    // The server gives up before we do, so that most late inserts end in an answer.
    max_execution_time: Math.max(1, Math.floor((timeoutMs * 0.8) / 1000)),
  };
  const statements = new Map(
    options.tables.map(({ type, columns }) => {
      const into = `INSERT INTO ${tableName(database, rowsTable(type))} (${namesOf(columns)}) FORMAT`;
      return [type, { rows: `${into} JSONEachRow`, parquet: `${into} Parquet`, check: checkingInsert(columns) }];
    }),
  );
  const deadLetters = `INSERT INTO ${tableName(database, deadLettersTable)} (${namesOf(deadLetterColumns)}) FORMAT TabSeparated`;

  return {
    title: 'ClickHouse',
    prepare: () =>
      prepareSchema({
        client,
        wanted: wantedSchema(options),
        migrate: options.migrate,
        takesSeveral: options.embedded,
        log: options.log,
      }),
    insert: inserting('rows'),
    insertParquet: inserting('parquet'),
    check: async (block, signal) => {
      try {
        await send({
          statement: statementsOf(block).check,
          rows: block.rows,
          chunks: block.chunks,
          signal,
          doing: `checking ${block.rows} rows for ${rowsTable(block.type)}`,
        });
        return null;
      } catch (error) {
        if (error instanceof PipelineError && error.code === 'sink_refused') return error;
        throw error;
      }
    },
    deadLetter: async (letters, signal) => {
      if (letters.length === 0) return;
      const doing = `inserting ${letters.length} dead letters`;
      await send({ statement: deadLetters, rows: letters.length, chunks: letters.map(encodeLetter), signal, doing });
    },
    close: () => client.close(),
  };

  function inserting(as: 'rows' | 'parquet'): SinkWithDeadLetters['insert'] {
    return (block, token, signal) =>
      send({
        statement: statementsOf(block)[as],
        rows: block.rows,
        chunks: block.chunks,
        token,
        signal,
        doing: `inserting ${block.rows} rows into ${rowsTable(block.type)}`,
      });
  }

  function statementsOf({ type }: RowBlock) {
    const found = statements.get(type);
    if (!found)
      throw new PipelineError(
        'sink_halted',
        `the event type ${type} is not known here: give this process its file too (UGC_SCHEMAS_DIR), or a newer ugc`,
      );
    return found;
  }

  async function send({ statement, rows, chunks, token, signal, doing }: Sent): Promise<void> {
    const giveUp = new AbortController();
    const onAbort = () => giveUp.abort(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const timer = setTimeout(() => giveUp.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    try {
      giveUp.signal.throwIfAborted();
      await client.insert(statement, {
        rows,
        chunks,
        settings: token === undefined ? settings : { ...settings, insert_deduplication_token: token },
        signal: giveUp.signal,
      });
    } catch (cause) {
      throw sinkError(giveUp.signal.aborted ? giveUp.signal.reason : cause, doing);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }
}

/** An insert that is judged as one into the rows is, and goes nowhere. */
const checkingInsert = (columns: readonly Column[]): string =>
  `INSERT INTO FUNCTION null(${quoteText(columns.map(({ name, type }) => `${quoteName(name)} ${type}`).join(', '))}) FORMAT JSONEachRow`;

interface Sent {
  readonly statement: string;
  readonly rows: number;
  readonly chunks: readonly Uint8Array[];
  readonly token?: string;
  readonly signal: AbortSignal;
  readonly doing: string;
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\0': '\\0',
};

/** A line of TSV: the one text format in which a String may hold any bytes. */
function encodeLetter(letter: DeadLetter): Uint8Array {
  const { topic, partition, position, index, log, reason, detail, raw, atMs, failedAtMs } = letter;
  const text = (value: string) => bytes(Buffer.from(value));
  const bytes = (value: Uint8Array) =>
    Buffer.from(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength)
      .toString('latin1')
      .replace(/[\\\t\n\r\0]/g, found => escapes[found]!);
  const fields = [text(topic), partition, position, index, text(log), text(reason), text(detail), bytes(raw)];
  fields.push(storableIso(atMs), storableIso(failedAtMs));
  return Buffer.from(`${fields.join('\t')}\n`, 'latin1');
}

/** A log may tell any time at all; the column holds those from 1970 to 2299. */
const storableIso = (ms: number): string => new Date(Math.min(Math.max(0, ms || 0), storableMsMax)).toISOString();
