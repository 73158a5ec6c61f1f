// Who is asked about rows, wired: the configured server, the embedded engine of this process, or that of another process
// on the same data folder, found by the note it leaves there. That one may come, go and change its port at any time.

import { type EventTablesOptions, eventTablesIn } from '../adapters/clickhouse/ask/event-tables.ts';
import { type ClickhouseClient, clickhouseClient } from '../adapters/clickhouse/client.ts';
import { clickhouseServerOf } from '../config/clickhouse-server.ts';
import { PipelineError } from '../errors.ts';
import type { EventTables } from '../ports/event-tables.ts';
import { readInstance } from '../process/instance.ts';
import type { Parts } from './role.ts';

export interface Lookup {
  readonly tables: EventTables;
  /** Why rows will never be seen from here, in words; null = they may. */
  refusal(): string | null;
  close(): Promise<void>;
}

/** A question is given up after this; it is asked again. */
const timeoutMs = 3_000;

export function openLookup({ config, catalogue, transport, tables }: Parts): Lookup {
  const types = catalogue.names;
  const { clickhouseUrl, clickhouseDatabase } = config;
  if (clickhouseUrl !== '') {
    const client = clickhouseClient({ ...clickhouseServerOf(config), timeoutMs });
    return lookupOver({ client: () => client, database: clickhouseDatabase, types, close: () => client.close() });
  }
  if (tables !== null) return lookupOver({ client: () => tables.client, database: clickhouseDatabase, types });
  const neighbour = neighbourOf(config.dataDir);
  return lookupOver({
    ...neighbour,
    database: clickhouseDatabase,
    types,
    // Without a broker the etl role runs on this folder or nowhere, so it is waited for.
    refusal: () =>
      transport === null || neighbour.isKnown()
        ? null
        : 'this process cannot see the tables, so it cannot wait for a row: set UGC_CLICKHOUSE_URL',
  });
}

interface Over extends EventTablesOptions {
  readonly refusal?: () => string | null;
  readonly close?: () => Promise<void>;
}

const lookupOver = ({ client, database, types, refusal = () => null, close = async () => {} }: Over): Lookup => ({
  tables: eventTablesIn({ client, database, types }),
  refusal,
  close,
});

/** The embedded engine of another process on this folder. */
function neighbourOf(dataDir: string) {
  let known: { readonly url: string; readonly client: ClickhouseClient } | null = null;

  function client(): ClickhouseClient {
    const url = readInstance(dataDir)?.clickhouseUrl;
    if (url === undefined)
      throw new PipelineError('sink_unknown', `no etl role runs on ${dataDir} whose tables could be asked`);
    if (known?.url !== url) {
      void known?.client.close();
      known = { url, client: clickhouseClient({ url, user: 'default', password: '', timeoutMs }) };
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
