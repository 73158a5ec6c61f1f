// The etl role, wired: an engine or a server behind one client, its tables, the mover, and for the embedded engine the
// HTTP port that lets everybody else read.

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openEngine } from './adapters/chdb.ts';
import { chdbConnection } from './adapters/chdb-connection.ts';
import { clickhouseClient, clickhouseSink } from './adapters/clickhouse.ts';
import { serveClickhouseHttp } from './adapters/clickhouse-http.ts';
import type { Config } from './config.ts';
import { messageOf } from './errors.ts';
import { type Mover, startMover } from './etl/loop.ts';
import type { Sink, Source, TableDefinition } from './ports.ts';
import type { Logger, Metrics } from './telemetry.ts';

export interface StorageOptions {
  readonly config: Config;
  readonly dataDir: string;
  readonly source: Source;
  readonly tables: readonly TableDefinition[];
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface Storage {
  /** Where the embedded engine answers queries; null without. */
  readonly httpUrl: string | null;
  /** What does not work just now, by table or part, in words. */
  problems(): Readonly<Record<string, string>>;
  oldest(): ReadonlyMap<string, number>;
  /** Resolves, with the reason, if moving can never go on. */
  readonly broken: Promise<string>;
  close(): Promise<void>;
}
