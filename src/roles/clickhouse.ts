// ClickHouse, opened: a server behind a client, or the embedded engine with the HTTP port through which everybody else
// reads. The embedded engine is part of this process, so what is wrong with it ends the start, unless it only lacks room:
// that is waited for.

import { randomBytes } from 'node:crypto';
import { chdbConnection } from '../adapters/chdb/connection.ts';
import type { Engine } from '../adapters/chdb/engine.ts';
import { serveClickhouseHttp } from '../adapters/chdb/http.ts';
import { type PatientEngine, patientEngine } from '../adapters/chdb/patient.ts';
import { readingEngine } from '../adapters/chdb/reading.ts';
import { type ClickhouseClient, clickhouseClient } from '../adapters/clickhouse/client.ts';
import { clickhouseServerOf } from '../config/clickhouse-server.ts';
import type { Config } from '../config/config.ts';
import { listening } from '../process/address.ts';
import { clickhouseFolder, removeInstance, urlOf, writeInstance } from '../process/instance.ts';
import type { Logger } from '../process/telemetry.ts';

export interface Clickhouse {
  readonly client: ClickhouseClient;
  /** The embedded engine for who may only read; null: a server says itself who may what. */
  readonly reader: ClickhouseClient | null;
  readonly isEmbedded: boolean;
  /** The embedded engine is open: what goes wrong with it now is no matter of waiting. */
  readonly isOpenHere: boolean;
  /** Answers queries from now on: the tables are there. Where, or null when it is not to or a server does. */
  serve(): string | null;
  /** No query is answered any more. */
  unserve(): Promise<void>;
  close(): Promise<void>;
}

/** Throws `engine_missing`, `data_dir_locked` or `config_invalid`. */
export function openClickhouse(config: Config, logger: Logger): Clickhouse {
  const isEmbedded = config.clickhouseUrl === '';
  const engine = isEmbedded ? openEngineOf(config) : null;
  const client = clickhouseClient(
    engine === null ? clickhouseServerOf(config) : { connection: chdbConnection(engine) },
  );
  const reader =
    engine === null
      ? null
      : clickhouseClient({
          connection: chdbConnection(
            readingEngine(engine, {
              database: config.clickhouseDatabase,
              memoryBytesMax: config.clickhouseMemoryBytesMax,
            }),
          ),
        });
  let http: HttpPort | null = null;
  return {
    client,
    reader,
    isEmbedded,
    isOpenHere: engine?.isOpen ?? false,
    serve: () => {
      if (engine !== null) http = listenFor(engine, config, logger);
      return http?.url ?? null;
    },
    unserve: async () => {
      if (http !== null) removeInstance(config.dataDir);
      await http?.stop();
    },
    close: async () => {
      await reader?.close();
      await client.close();
      await engine?.close();
    },
  };
}

const openEngineOf = ({ dataDir, clickhouseMemoryBytesMax }: Config): PatientEngine =>
  patientEngine({ path: clickhouseFolder(dataDir), memoryBytesMax: clickhouseMemoryBytesMax });

interface HttpPort {
  readonly url: string;
  stop(): Promise<void>;
}

function listenFor(engine: Engine, config: Config, logger: Logger): HttpPort | null {
  const { clickhouseHttpHost: host, clickhouseHttpPort: asked } = config;
  if (asked < 0) return null;
  const clickhouseKey = randomBytes(24).toString('base64url');
  const what = ' for ClickHouse’s HTTP interface';
  const remedy = 'set UGC_CLICKHOUSE_HTTP_PORT to another port, or to -1 to do without';
  const { port, stop } = listening({ host, port: asked, what, remedy }, () =>
    serveClickhouseHttp({
      engine,
      host,
      port: asked,
      readonly: config.clickhouseHttpReadonly,
      key: clickhouseKey,
      database: config.clickhouseDatabase,
      log: logger,
    }),
  );
  const url = urlOf(host, port);
  try {
    writeInstance(config.dataDir, { pid: process.pid, clickhouseUrl: url, clickhouseKey });
  } catch (error) {
    // A full disk: the port answers all the same.
    logger.error({ err: error }, 'other processes of this data folder will not find the ClickHouse port');
  }
  return { url, stop };
}
