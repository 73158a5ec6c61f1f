// Who is asked about rows, wired: the configured server, the embedded engine of this process, or that of another process
// on the same data folder, found by the note it leaves there. That one may come, go and change its port at any time.

import { eventTablesIn } from '../adapters/clickhouse/ask/event-tables.ts';
import { type ClickhouseClient, clickhouseClient } from '../adapters/clickhouse/client.ts';
import { clickhouseServerOf } from '../config/clickhouse-server.ts';
import type { Config } from '../config/config.ts';
import { PipelineError } from '../errors.ts';
import type { EventTables } from '../ports/event-tables.ts';
import { readInstance } from '../process/instance.ts';
import type { Parts } from './role.ts';

/** The tables, for who asks them from this process. */
export interface Asked {
  /** For reading: what it may is no more than that, unless the tables are a server's. Throws while there is nobody to ask. */
  client(): ClickhouseClient;
  /** For changing. Throws while there is nobody to ask. */
  writer(): ClickhouseClient;
  /** The engine runs in this process. */
  readonly isHere: boolean;
  /** The tables are a server's, not an engine's of ugc. */
  readonly isServer: boolean;
  /** Why there never will be, in words; null = there may. */
  refusal(): string | null;
  close(): Promise<void>;
}

export interface Lookup {
  readonly tables: EventTables;
  /** Why rows will never be seen from here, in words; null = they may. */
  refusal(): string | null;
  close(): Promise<void>;
}

/** A question is given up after this; it is asked again. */
const timeoutMs = 3_000;

export function openLookup(parts: Parts): Lookup {
  const { config, catalogue, tables: here } = parts;
  const { client, refusal, close } = openAsked(parts, timeoutMs);
  const ask = here === null ? client : () => here.client;
  const tables = eventTablesIn({ client: ask, database: config.clickhouseDatabase, types: catalogue.names });
  return { tables, refusal, close };
}

/** A question is given up after `timeoutMs`. */
export function openAsked({ config, transport, tables }: Parts, timeoutMs: number): Asked {
  const nothing = { refusal: () => null, close: async () => {} };
  if (config.clickhouseUrl !== '') {
    const client = clickhouseClient({ ...clickhouseServerOf(config), database: config.clickhouseDatabase, timeoutMs });
    return {
      ...nothing,
      client: () => client,
      writer: () => client,
      isHere: false,
      isServer: true,
      close: () => client.close(),
    };
  }
  if (tables !== null) {
    const { client, reader } = tables;
    return { ...nothing, client: () => reader ?? client, writer: () => client, isHere: true, isServer: false };
  }
  const [reading, writing] = [neighbourOf(config, timeoutMs, false), neighbourOf(config, timeoutMs, true)];
  return {
    client: reading.client,
    writer: writing.client,
    isHere: false,
    isServer: false,
    // Without a broker the etl role runs on this folder or nowhere, so it is waited for.
    refusal: () =>
      transport === null || reading.isKnown()
        ? null
        : 'this process cannot see the tables, so it cannot wait for a row: set UGC_CLICKHOUSE_URL',
    close: async () => {
      await Promise.all([reading.close(), writing.close()]);
    },
  };
}

/** The embedded engine of another process on this folder: as anybody, who may read, or as the folder's owner. */
function neighbourOf({ dataDir, clickhouseDatabase: database }: Config, timeoutMs: number, isOwner: boolean) {
  let known: { readonly of: string; readonly client: ClickhouseClient } | null = null;

  function client(): ClickhouseClient {
    const instance = readInstance(dataDir);
    if (instance === null)
      throw new PipelineError(
        'sink_unknown',
        `no etl role runs on ${dataDir} whose tables could be asked: start one, or set UGC_CLICKHOUSE_URL`,
      );
    const { clickhouseUrl: url, clickhouseKey } = instance;
    const of = `${url} ${clickhouseKey}`;
    if (known?.of !== of) {
      void known?.client.close();
      const who = isOwner ? { user: 'ugc', password: clickhouseKey } : { user: 'default', password: '' };
      known = { of, client: clickhouseClient({ url, ...who, database, timeoutMs }) };
    }
    return known.client;
  }

  return {
    client,
    /** Whether there is one, or has been one since this process looks. */
    isKnown: () => known !== null || readInstance(dataDir) !== null,
    close: async () => {
      await known?.client.close();
    },
  };
}
