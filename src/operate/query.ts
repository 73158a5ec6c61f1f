// `ugc query "SELECT …"`: one query, answered by the process that holds the tables just now, in the format asked for.
// It only reads, unless the server that is asked lets every user write.

import type { Config } from '../config/config.ts';
import { flag } from '../config/kinds.ts';
import { messageOf } from '../errors.ts';
import { command } from './arguments.ts';
import { asReader, engineHere, type Holder, holderOf } from './tables.ts';

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
  const holder = await holderOf(config);
  if (holder !== null) return overHttp(asReader(holder), { sql, format, database: config.clickhouseDatabase });
  const engine = engineHere(config);
  try {
    return (await engine.query(sql, { format, readonly: true, database: config.clickhouseDatabase })).bytes;
  } finally {
    await engine.close();
  }
}

interface Asking {
  readonly sql: string;
  readonly format: string;
  readonly database: string;
}

/**
 * Not through the client: what the server answers is printed as it comes, in the statement's own FORMAT where it has
 * one.
 */
async function overHttp({ url, user, password }: Holder, { sql, format, database }: Asking): Promise<Uint8Array> {
  const target = new URL(url);
  target.searchParams.set('default_format', format);
  target.searchParams.set('database', database);
  const headers = { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': password };
  const response = await fetch(target, { method: 'POST', headers, body: sql });
  if (!response.ok) throw new Error(await response.text());
  return response.bytes();
}
