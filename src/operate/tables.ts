// The tables for a command: the process that holds them just now is asked, the configured server, else the running
// instance of the data folder, else, with none running, the engine opened here for the moment. An instance lets every
// user read who reaches its ClickHouse port, and the owner of its data folder write.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chdbConnection } from '../adapters/chdb/connection.ts';
import { type Engine, openEngine } from '../adapters/chdb/engine.ts';
import { type ClickhouseClient, clickhouseClient } from '../adapters/clickhouse/client.ts';
import { type ClickhouseServer, clickhouseServerOf } from '../config/clickhouse-server.ts';
import type { Config } from '../config/config.ts';
import { PipelineError } from '../errors.ts';
import { clickhouseFolder, readInstance } from '../process/instance.ts';

export interface Tables {
  readonly client: ClickhouseClient;
  /** The engine runs in this process. */
  readonly embedded: boolean;
}

/** A server that has the tables open, and as whom to ask it. */
export interface Holder extends ClickhouseServer {
  /** A running instance: its user is the owner of the data folder, and may write. */
  readonly isInstance: boolean;
}

/** Null: no process has them open. */
export async function holderOf(config: Config): Promise<Holder | null> {
  if (config.clickhouseUrl !== '') return { ...clickhouseServerOf(config), isInstance: false };
  const instance = readInstance(config.dataDir);
  if (instance === null || !(await answers(instance.clickhouseUrl))) return null;
  const { clickhouseUrl: url, clickhouseKey: password } = instance;
  return { url, user: 'ugc', password, timeoutMs: config.clickhouseTimeoutMs, tls: {}, isInstance: true };
}

/** The same for a command that only reads. */
export const asReader = (holder: Holder): Holder =>
  holder.isInstance ? { ...holder, user: 'default', password: '' } : holder;

/**
 * Rejects with `config_invalid` when there are no tables, `data_dir_locked` when a process has them that cannot be
 * asked.
 */
export async function withTables<T>(config: Config, use: (tables: Tables) => Promise<T>): Promise<T> {
  const holder = await holderOf(config);
  return holder === null ? inProcess(config, use) : overHttp(holder, use);
}

async function overHttp<T>(holder: Holder, use: (tables: Tables) => Promise<T>): Promise<T> {
  const client = clickhouseClient(holder);
  try {
    return await use({ client, embedded: false });
  } finally {
    await client.close();
  }
}

/** False when no service listens there, or another one: the note is of an instance that was killed. */
async function answers(url: string): Promise<boolean> {
  try {
    return (await (await fetch(new URL('/ping', url))).text()) === 'Ok.\n';
  } catch (error) {
    if (/^(ConnectionRefused|ECONNREFUSED)$/.test((error as { code?: string }).code ?? '')) return false; // Bun says either
    throw error;
  }
}

export const hasTablesHere = ({ dataDir }: Config): boolean => existsSync(join(clickhouseFolder(dataDir), 'metadata'));

/** The engine on the data folder, for the moment. Throws `config_invalid` when it holds no tables. */
export function engineHere(config: Config): Engine {
  const path = clickhouseFolder(config.dataDir);
  if (!hasTablesHere(config))
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
