// The embedded ClickHouse: one engine, one data folder, in this process.
//
// - Every call runs in a session of its own (0.3 ms): database, settings, parameters and readonly of one call cannot be
//   seen by another, and nothing has to be reset. One idle session keeps the engine up.
// - A session is closed only after its native call has returned: closing earlier aborts the whole engine. So an aborted
//   call rejects at once, its query is killed, and its place is free only when the engine let go of it.
// - Calls run on a thread pool of few threads. Guests (queries over HTTP) get half of it at most and wait in a
//   bounded queue, so that inserts and receipts always find a free thread.
// - Rows of an INSERT are data only where the library cannot take them for SQL: spool.ts.
// - async_insert is off in the engine's own profile.

import { accessSync, constants, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, PipelineError } from '../../errors.ts';
import { sleep } from '../../process/sleep.ts';
import { quoteName, quoteText } from '../clickhouse/sql.ts';
import { engineConfig, guestMemoryBytesMax, usersConfig } from './config.ts';
import { engineError, refuse } from './error.ts';
import { isLocked, loadAddon, type Session, threadPoolSize } from './library.ts';
import { clearSpool, isPlain, spooled } from './spool.ts';
import { openTurns } from './turns.ts';

export interface EngineOptions {
  /** The engine's data folder; created when missing. */
  readonly path: string;
  readonly memoryBytesMax: number;
  /** Guests' calls waiting for their turn; one more is refused with code 202. */
  readonly guestsWaitingMax?: number;
}

export interface RunOptions {
  readonly database?: string;
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Values of `{name:Type}`, escaped as in ClickHouse's HTTP interface (TSV). */
  readonly params?: Readonly<Record<string, string>>;
  /** SELECT and the like only; settings may still be changed (ClickHouse's readonly = 2), `settings-too`: not (1). */
  readonly readonly?: boolean | 'settings-too';
  /** A caller that must never hold up the process's own work. */
  readonly guest?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface QueryOptions extends RunOptions {
  /** Output format where the statement has no FORMAT clause. */
  readonly format?: string;
}

export interface Summary {
  readonly readRows: number;
  readonly readBytes: number;
  readonly writtenRows: number;
  readonly writtenBytes: number;
  readonly elapsedNs: number;
}

export interface EngineResult {
  readonly bytes: Buffer;
  readonly summary: Summary;
}

/** `INSERT INTO t (a) SETTINGS x = 1 FORMAT CSV`, in three. */
export interface InsertStatement {
  readonly into: string;
  readonly settings?: string;
  readonly format: string;
}

/** Everything rejects with EngineError, or with the signal's reason. */
export interface Engine {
  readonly version: string;
  readonly timezone: string;
  readonly path: string;
  query(sql: string, options?: QueryOptions): Promise<EngineResult>;
  /** The bytes reach the engine untouched. */
  insert(statement: InsertStatement, rows: Uint8Array, options?: RunOptions): Promise<EngineResult>;
  /** Idempotent. Kills guests' queries, waits for the process's own calls, closes the folder. */
  close(): Promise<void>;
}

/** A call that was killed before it began is killed once more after this; twice as long after each time. */
const killAgainMs = 20;

/** Throws `engine_missing`, `data_dir_locked` or `config_invalid`. */
export function openEngine({ path: folder, memoryBytesMax, guestsWaitingMax = 64 }: EngineOptions): Engine {
  const addon = loadAddon();
  const { path, args } = prepareFolder(folder, memoryBytesMax);
  const anchor = openAnchor();
  const about = addon.QueryWithConnection(anchor, 'SELECT version(), timezone()', 'TSVRaw').trim();
  const [version, timezone] = about.split('\t') as [string, string];
  const threads = threadPoolSize();
  const guestsMax = Math.max(1, Math.floor(threads / 2));
  const queues = {
    guest: openTurns(guestsMax, guestsWaitingMax),
    own: openTurns(Math.max(2, threads - guestsMax - 1), Number.POSITIVE_INFINITY),
  };
  const running = new Set<Promise<unknown>>();
  /** Calls of guests that the engine has not let go of, by their tags. */
  const guestCalls = new Map<string, Promise<unknown>>();
  let closing: Promise<void> | undefined;
  let calls = 0;

  return {
    version,
    timezone,
    path,
    query: (sql, options = {}) =>
      run(options, async session => {
        const result = await addon.QueryAsyncConnection(session, sql, options.format ?? 'TabSeparated');
        const { rowsRead, bytesRead, elapsed } = result;
        return { bytes: result.bytes ?? nothing, summary: summaryOf({ rowsRead, bytesRead, elapsed }) };
      }),
    insert: ({ into, settings = '', format }, rows, options = {}) => {
      const bytes = Buffer.from(rows.buffer as ArrayBuffer, rows.byteOffset, rows.byteLength);
      if (isPlain(format, bytes))
        return run(options, async session => {
          const statement = `${into} ${settings} FORMAT ${format}`;
          return {
            bytes: nothing,
            summary: summaryOf(await addon.InsertRawAsyncConnection(session, statement, bytes, false)),
          };
        });
      return run(options, session =>
        spooled(path, bytes, async file => {
          const statement = `${into} FROM INFILE ${quoteText(file)} COMPRESSION 'none' ${settings} FORMAT ${format}`;
          const { rowsRead, bytesRead, elapsed } = await addon.QueryAsyncConnection(session, statement, 'Null');
          return { bytes: nothing, summary: summaryOf({ rowsWritten: rowsRead, bytesWritten: bytesRead, elapsed }) };
        }),
      );
    },
    close: () => {
      closing ??= shut();
      return closing;
    },
  };

  async function run(options: RunOptions, call: (session: Session) => Promise<EngineResult>): Promise<EngineResult> {
    const { signal, guest = false } = options;
    signal?.throwIfAborted();
    if (closing !== undefined) throw closed();
    const turns = guest ? queues.guest : queues.own;
    const turn = turns.enter(signal);
    if (turn !== null) {
      await turn;
      if (closing !== undefined) {
        turns.leave();
        throw closed();
      }
    }
    // No await between the look at `closing` and here: what close finds running is all that will run.
    const tag = `ugc-${++calls}`;
    const native = inSession(tag, options, call).finally(() => {
      running.delete(native);
      guestCalls.delete(tag);
      turns.leave();
    });
    running.add(native);
    if (guest) guestCalls.set(tag, native);
    return signal ? abandonOnAbort(native, signal, () => kill(tag, native)) : native;
  }

  async function inSession(
    tag: string,
    options: RunOptions,
    call: (session: Session) => Promise<EngineResult>,
  ): Promise<EngineResult> {
    let session: Session | undefined;
    try {
      session = addon.CreateConnection(path, args);
      addon.QueryWithConnection(session, preamble(tag, options, memoryBytesMax), 'Null');
      return await call(session);
    } catch (error) {
      throw engineError(error);
    } finally {
      if (session !== undefined) addon.CloseConnection(session);
    }
  }

  /**
   * The engine cannot interrupt a call, but a query can kill another. Again and again until the call has returned: its
   * thread may not have begun with it yet, and then there is nothing to kill.
   */
  async function kill(tag: string, call: Promise<unknown>): Promise<void> {
    const sql = `KILL QUERY WHERE Settings['log_comment'] = ${quoteText(tag)} ASYNC`;
    const over = new AbortController();
    const returned = () => over.abort();
    call.then(returned, returned);
    for (let pauseMs = killAgainMs; !over.signal.aborted; pauseMs *= 2) {
      const killing = inSession(`${tag}-kill`, {}, async session => {
        const { elapsed } = await addon.QueryAsyncConnection(session, sql, 'Null');
        return { bytes: nothing, summary: summaryOf({ elapsed }) };
      });
      running.add(killing);
      await killing.catch(() => undefined);
      running.delete(killing);
      await sleep(pauseMs, over.signal);
    }
  }

  async function shut(): Promise<void> {
    queues.guest.refuse(closed());
    queues.own.refuse(closed()); // calls that wait
    const kills = [...guestCalls].map(([tag, call]) => kill(tag, call));
    while (running.size > 0) await Promise.allSettled(running);
    await Promise.all(kills);
    addon.CloseConnection(anchor);
  }

  function openAnchor(): Session {
    try {
      return addon.CreateConnection(path, args);
    } catch (cause) {
      throw new PipelineError(
        'config_invalid',
        `The embedded ClickHouse cannot open its data folder ${path} (what it says is on stderr): ${messageOf(cause)}`,
        { cause },
      );
    }
  }
}

const nothing = Buffer.alloc(0);
const closed = () => refuse(236, 'The engine is closed', 'ABORTED');

/** Creates the folder and writes the engine's configuration into it, once no other process has it open. */
function prepareFolder(folder: string, memoryBytesMax: number): { path: string; args: readonly string[] } {
  try {
    mkdirSync(folder, { recursive: true });
    const path = realpathSync(folder);
    if (/[*?{}\\]/.test(path)) throw new Error('its path must not contain any of * ? { } \\'); // spooled rows: INFILE globs
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    if (isLocked(path))
      throw new PipelineError(
        'data_dir_locked',
        `The data folder ${path} is open in another process: stop that one, or give this one another folder with ` +
          'UGC_DATA_DIR. To query what the other one holds, use its ClickHouse HTTP port.',
      );
    clearSpool(path);
    const [engine, users] = [join(path, 'engine.xml'), join(path, 'users.xml')];
    writeFileSync(users, usersConfig({ memoryBytesMax }));
    writeFileSync(engine, engineConfig(users, { memoryBytesMax }));
    return { path, args: [`--config-file=${engine}`] };
  } catch (cause) {
    if (cause instanceof PipelineError) throw cause;
    throw new PipelineError('config_invalid', `The data folder ${folder} cannot be used: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** What makes a fresh session this call's. readonly comes last: after it some settings are fixed. */
function preamble(tag: string, options: RunOptions, memoryBytesMax: number): string {
  const settings: Record<string, string | number | boolean> = { log_comment: tag, ...options.settings };
  settings.log_comment = tag; // how kill finds it
  if (options.guest) settings.max_memory_usage ??= guestMemoryBytesMax(memoryBytesMax);
  const statements: string[] = [];
  if (options.database !== undefined) statements.push(`USE ${quoteName(options.database)}`);
  statements.push(
    `SET ${Object.entries(settings)
      .map(([name, value]) => `${name} = ${quoteText(typeof value === 'boolean' ? String(+value) : String(value))}`)
      .join(', ')}`,
  );
  for (const [name, value] of Object.entries(options.params ?? {}))
    statements.push(`SET param_${name} = ${quoteText(value)}`);
  if (options.readonly) statements.push(`SET readonly = ${options.readonly === 'settings-too' ? 1 : 2}`);
  return statements.join('; ');
}

interface Counted {
  readonly elapsed: number;
  readonly rowsRead?: number;
  readonly bytesRead?: number;
  readonly rowsWritten?: number;
  readonly bytesWritten?: number;
}

function summaryOf({ elapsed, rowsRead = 0, bytesRead = 0, rowsWritten = 0, bytesWritten = 0 }: Counted): Summary {
  return {
    readRows: rowsRead,
    readBytes: bytesRead,
    writtenRows: rowsWritten,
    writtenBytes: bytesWritten,
    elapsedNs: Math.round(elapsed * 1e9),
  };
}

async function abandonOnAbort<T>(native: Promise<T>, signal: AbortSignal, abandon: () => Promise<void>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => {
    reject(signal.reason);
    void abandon();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  native.catch(() => undefined); // when abandoned, no other caller waits for it
  try {
    return await Promise.race([native, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
