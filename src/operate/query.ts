// `ugc query "SELECT …"`: one query, answered by whoever holds the tables just now: the configured server, a running
// instance through its HTTP port, or, with none running, the engine opened here for the moment.

import type { Config } from '../config.ts';
import { messageOf } from '../errors.ts';
import { readInstance } from '../instance.ts';
import { flag } from '../settings.ts';
import { command } from './arguments.ts';
import { engineHere } from './tables.ts';

export const queryFlags = { json: flag({ default: false, help: 'One JSON object a line' }) };

export const query = command(queryFlags, async ({ args, flags, config }) => {
  const sql = args[0] === '-' ? await Bun.stdin.text() : args[0];
  if (args.length !== 1 || sql === undefined || sql.trim() === '') {
    process.stderr.write('ugc: query takes one query in quotes, or - to read it from stdin; see ugc help query\n');
    return 2;
  }
  const format = flags.json ? 'JSONEachRow' : 'PrettyCompactMonoBlock';
  try {
    const bytes = await ask(sql, format, config);
    await Bun.write(Bun.stdout, bytes);
    return 0;
  } catch (error) {
    process.stderr.write(`ugc: ${messageOf(error).trim()}\n`);
    return 1;
  }
});

async function ask(sql: string, format: string, config: Config): Promise<Uint8Array> {
  const { clickhouseUrl, clickhouseUser, clickhousePassword, clickhouseDatabase } = config;
  if (clickhouseUrl !== '') {
    const headers = { 'X-ClickHouse-User': clickhouseUser, 'X-ClickHouse-Key': clickhousePassword };
    return overHttp({ url: clickhouseUrl, sql, format, database: clickhouseDatabase, headers });
  }
  const instance = readInstance(config.dataDir);
  if (instance !== null)
    try {
      return await overHttp({ url: instance.clickhouseUrl, sql, format, database: clickhouseDatabase, headers: {} });
    } catch (error) {
      // Nobody answers there: the note is of one that was killed.
      if ((error as { code?: string }).code !== 'ConnectionRefused') throw error;
    }
  return inProcess(sql, format, config);
}

interface Asking {
  readonly url: string;
  readonly sql: string;
  readonly format: string;
  readonly database: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function overHttp({ url, sql, format, database, headers }: Asking): Promise<Uint8Array> {
  const target = new URL(url);
  target.searchParams.set('default_format', format);
  target.searchParams.set('database', database);
  const response = await fetch(target, { method: 'POST', headers, body: sql });
  if (!response.ok) throw new Error(await response.text());
  return response.bytes();
}

async function inProcess(sql: string, format: string, config: Config): Promise<Uint8Array> {
  const engine = engineHere(config);
  try {
    return (await engine.query(sql, { format, readonly: true, database: config.clickhouseDatabase })).bytes;
  } finally {
    await engine.close();
  }
}
