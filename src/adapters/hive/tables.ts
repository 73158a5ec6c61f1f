// The archive's tables in Hive. A session is opened for what there is to tell, and closed after it: days are new once a day,
// types more seldom.
//
// - Everything may be told again. What was told already by this process is not said again.
// - Types whose names begin with _ are passed over: to Hive such files are hidden.
// - Columns are compared by name, and those that are missing are added: a table that has more is let be.

import { messageOf, PipelineError } from '../../errors.ts';
import {
  type HiveFormat,
  type HiveNews,
  type HiveTables,
  type HiveTarget,
  hiveStatements,
} from '../../ports/hive-tables.ts';
import { HiveRefusal, type HiveSession, openSession } from './session.ts';

export interface HiveTablesOptions {
  /** hive2://user:password@host:10000/database, with ?auth=noSasl for a server of hive.server2.authentication=NOSASL. */
  readonly url: string;
  /** The archive's root, as Hive reads it. */
  readonly location: string;
  /** To connect, and for an answer. */
  readonly timeoutMs: number;
}

/** A query before ours may hold the metastore's locks. */
const statementMsMax = 600_000;
/** In one statement. */
const daysMax = 200;

export function hiveTables({ url, location, timeoutMs }: HiveTablesOptions): HiveTables {
  const { host, port, user, password, database, isNoSasl } = hiveAddress(url);
  const title = `hive2://${host}:${port}/${database}`;
  /** table → the columns it is known to have; table and day → where it lies, '' for the table's own folder. */
  const known = new Map<string, string>();
  const knownDays = new Map<string, string>();
  const ending = new AbortController();

  const targetOf = (format: HiveFormat): HiveTarget => ({ format, database, location });
  /** A day without a folder is let be wherever it is. */
  const isNewDay = (table: string, day: string, folder: string | undefined): boolean => {
    const lies = knownDays.get(`${table} ${day}`);
    return lies === undefined || (folder !== undefined && folder !== lies);
  };
  const isNew = ({ definition, format, days, folders }: HiveNews): boolean => {
    if (definition.type.startsWith('_')) return false;
    const { table } = hiveStatements(definition, targetOf(format));
    return known.get(table) !== namesOf(definition) || days.some(day => isNewDay(table, day, folders?.get(day)));
  };

  return {
    title,
    async tell(news, signal) {
      const fresh = news.filter(isNew);
      if (fresh.length === 0) return;
      const both = signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal]);
      const plain = isNoSasl ? null : { user, password };
      let session: HiveSession | undefined;
      try {
        session = await openSession({ host, port, user, plain, timeoutMs, statementMsMax }, both);
        for (const item of fresh) await tellOf(session, item, isFirstOf(news, item), both);
      } catch (error) {
        throw hiveError(error, title);
      } finally {
        await session?.close();
      }
    },
    async close() {
      ending.abort(new Error('ugc is ending'));
    },
  };

  async function tellOf(session: HiveSession, news: HiveNews, isFirst: boolean, signal: AbortSignal): Promise<void> {
    const { definition, format, days, folders } = news;
    const { table, create, grow, addDays, moveDay, view } = hiveStatements(definition, targetOf(format));
    if (known.get(table) !== namesOf(definition)) {
      for (const statement of create) await runAmongOthers(session, statement, signal);
      const there = await columnsOf(session, table, signal);
      const missing = definition.columns.filter(({ name }) => !there.has(name));
      if (missing.length > 0) await session.run(grow(missing), signal);
      if (isFirst) await runAmongOthers(session, view, signal);
      known.set(table, namesOf(definition));
    }
    const fresh = days.filter(day => isNewDay(table, day, folders?.get(day)));
    for (let at = 0; at < fresh.length; at += daysMax) {
      const some = fresh.slice(at, at + daysMax);
      await runAmongOthers(session, addDays(some, folders), signal);
      for (const day of some) {
        const folder = folders?.get(day);
        // Also one that was added just now: it may have been there.
        if (folder !== undefined) await session.run(moveDay(day, folder), signal);
        knownDays.set(`${table} ${day}`, folder ?? '');
      }
    }
  }
}

const namesOf = ({ columns }: HiveNews['definition']): string => columns.map(({ name }) => name).join(',');

const isFirstOf = (news: readonly HiveNews[], { definition, format }: HiveNews): boolean =>
  news.find(other => other.definition.type === definition.type)?.format === format;

async function columnsOf(session: HiveSession, table: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const names = (await session.run(`DESCRIBE ${table}`, signal)).map(([name]) => (name ?? '').trim());
  // Partition columns are listed once more below a title of their own.
  const end = names.findIndex(name => name === '' || name.startsWith('#'));
  return new Set(end < 0 ? names : names.slice(0, end));
}

export interface HiveAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly isNoSasl: boolean;
}

export function hiveAddress(text: string): HiveAddress {
  const url = new URL(text);
  const user = decodeURIComponent(url.username) || 'ugc';
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 10_000),
    user,
    // Hive without passwords (NONE, over SASL) takes any but none.
    password: decodeURIComponent(url.password) || 'anonymous',
    database: url.pathname.slice(1) || 'ugc',
    isNoSasl: url.searchParams.get('auth')?.toLowerCase() === 'nosasl',
  };
}

/** The metastore's own database says so of what two make at once, whatever their IF NOT EXISTS says. */
const isOvertaken = /duplicate (key|entry)|unique constraint|AlreadyExistsException|already exists/i;

/** A statement that may be run again: once more where another session has just made what it makes. */
async function runAmongOthers(session: HiveSession, statement: string, signal: AbortSignal): Promise<void> {
  try {
    await session.run(statement, signal);
  } catch (error) {
    if (!(error instanceof HiveRefusal && isOvertaken.test(messageOf(error)))) throw error;
    await session.run(statement, signal);
  }
}

/** What waiting mends though Hive itself answers: it cannot reach its metastore, or the files' servers. */
const isAway =
  /TTransportException|ConnectException|SocketTimeout|timed out|Connection refused|SafeMode|StandbyException/i;

function hiveError(error: unknown, title: string): PipelineError {
  if (error instanceof PipelineError) return error;
  const what = messageOf(error);
  if (error instanceof HiveRefusal && !isAway.test(what))
    return new PipelineError('archive_halted', `${title} refuses the archive’s tables (UGC_HIVE_URL): ${what}`, {
      cause: error,
    });
  if (what.startsWith('it refuses '))
    return new PipelineError('archive_halted', `${title}: ${what}; see UGC_HIVE_URL`, { cause: error });
  return new PipelineError('archive_unavailable', `${title} (UGC_HIVE_URL): ${what}`, { cause: error });
}

/**
 * The archive's root as Hive reads it, from UGC_ARCHIVE_URL. WebHDFS has another port than HDFS: the path alone is taken, in
 * the file system that Hive takes for its own (fs.defaultFS).
 */
export function hiveLocation(archiveUrl: string): string {
  const plain = archiveUrl.replace(/\/+$/, '');
  if (plain.startsWith('s3://')) return plain.replace('s3://', 's3a://');
  return plain.replace(/^webhdfss?:\/\/[^/]+/, '') || plain;
}
