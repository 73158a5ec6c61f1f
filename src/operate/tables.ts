// The tables for a command that changes them: whoever holds them just now is asked, as `ugc query` does. A running
// instance lets the owner of its data folder write through its ClickHouse port.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chdbConnection } from '../adapters/chdb/connection.ts';
import { type Engine, openEngine } from '../adapters/chdb/engine.ts';
import { type ClickhouseClient, clickhouseClient } from '../adapters/clickhouse/client.ts';
import type { Config } from '../config.ts';
import { PipelineError } from '../errors.ts';
import { clickhouseFolder, readInstance } from '../instance.ts';

export interface Tables {
  readonly client: ClickhouseClient;
  /** The engine runs in this process. */
  readonly embedded: boolean;
}

/** Rejects with `config_invalid` when there are no tables, `data_dir_locked` when somebody has them who cannot be asked. */
export async function withTables<T>(config: Config, use: (tables: Tables) => Promise<T>): Promise<T> {
  const { clickhouseUrl, clickhouseUser, clickhousePassword, clickhouseTimeoutMs: timeoutMs } = config;
  if (clickhouseUrl !== '')
    return using({ url: clickhouseUrl, user: clickhouseUser, password: clickhousePassword, timeoutMs }, use);
  const instance = readInstance(config.dataDir);
  if (instance !== null && (await answers(instance.clickhouseUrl)))
    return using({ url: instance.clickhouseUrl, user: 'ugc', password: instance.clickhouseKey, timeoutMs }, use);
  return inProcess(config, use);
}

async function using<T>(
  server: { readonly url: string; readonly user: string; readonly password: string; readonly timeoutMs: number },
  use: (tables: Tables) => Promise<T>,
): Promise<T> {
  const client = clickhouseClient(server);
  try {
    return await use({ client, embedded: false });
  } finally {
    await client.close();
  }
}

/** False when nobody listens there: the note is of an instance that was killed. */
async function answers(url: string): Promise<boolean> {
  try {
    await fetch(new URL('/ping', url));
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === 'ConnectionRefused') return false;
    throw error;
  }
}

/** The engine on the data folder, for the moment. Throws `config_invalid` when it holds no tables. */
export function engineHere(config: Config): Engine {
  const path = clickhouseFolder(config.dataDir);
  if (!existsSync(join(path, 'metadata')))
    throw new PipelineError(
      'config_invalid',
      `there are no tables in ${path}; is --data-dir (UGC_DATA_DIR) the server's?`,
    );
  return openEngine({ path, memoryBytesMax: config.clickhouseMemoryBytesMax });
}

async function inProcess<T>(config: Config, use: (tables: Tables) => Promise<T>): Promise<T> {
  const engine = engineHere(config);
  const client = clickhouseClient({ connection: chdbConnection(engine) });
  try {
    return await use({ client, embedded: true });
  } finally {
    await client.close();
    await engine.close();
  }
}
