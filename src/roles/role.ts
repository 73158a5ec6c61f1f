// What a role is: a part of the process with work of its own, that brings routes, says what it cannot do, and can be
// closed. One file a role, one list (list.ts); `serve` goes through it.

import type { ClickhouseClient } from '../adapters/clickhouse/client.ts';
import type { LiveCatalogue } from '../catalogue/live.ts';
import type { Config } from '../config/config.ts';
import type { ApiPart } from '../http/openapi.ts';
import type { Route } from '../http/route.ts';
import type { Recent } from '../ingest/recent.ts';
import type { DurableLog } from '../log/durable-log.ts';
import type { DiskBuffer } from '../ports/buffer.ts';
import type { Flows } from '../ports/flow-control.ts';
import type { Watched } from '../ports/passing.ts';
import type { Tracer } from '../ports/tracing.ts';
import type { Transport } from '../ports/transport.ts';
import type { Clock } from '../process/clock.ts';
import type { Logger, Logs, Metrics } from '../process/telemetry.ts';

export interface RoleDefinition {
  readonly name: string;
  /** Nobody asks anything of it over HTTP, but how it is. */
  readonly hasNoCallers?: true;
  /** Whether `all` means it, too; absent = always. */
  isMeant?(config: Config): boolean;
  /** It puts events into the log. */
  readonly writes: boolean;
  /** Rejects with `config_invalid` and the like when it cannot be, everything of its own closed. */
  open(parts: Parts): Promise<Role>;
}

/** Where what a role serves or writes is to be found. */
export interface Ready {
  readonly clickhouse_http?: string | undefined;
  readonly archive?: string;
}

export interface Role {
  readonly routes?: readonly Route[];
  /** What it says in the API's document; another object once that has changed. */
  api?(): ApiPart;
  /** A clause for who asks for a path that is not there: `events go to …`. */
  readonly hint?: string;
  /** Whether it can do its work just now; a role that cannot say so always can. */
  isReady?(): boolean;
  /** What does not work just now, in words, by part. */
  problems?(): Readonly<Record<string, string>>;
  /** Brings its metrics up to date before they are read. */
  scrape?(): Promise<void>;
  /** Resolves, with the reason, once it can never go on. */
  readonly broken?: Promise<string>;
  /** What is told of it in the line that says all is ready. */
  readonly ready?: Ready;
  /** A stop has begun: what clients wait for is answered now. */
  finish?(): void;
  /** Idempotent. */
  close(): Promise<void>;
}

/** What the roles of a process share. */
export interface Parts {
  readonly config: Config;
  /** Of ugc. */
  readonly version: string;
  readonly logs: Logs;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly catalogue: LiveCatalogue;
  readonly clock: Clock;
  /** Who looks on at what passes. */
  readonly watched: Watched;
  /** What operators wish of what this process moves. */
  readonly flows: Flows;
  /** Null: nothing is traced. */
  readonly tracer: Tracer | null;
  /** Null: the disk buffer is the log. */
  readonly transport: Transport | null;
  /** Null where no role of the process writes, and what is read is elsewhere. */
  readonly buffer: DiskBuffer | null;
  /** Null where no role of the process writes. */
  readonly log: DurableLog | null;
  /** Set by the role that writes them: who reads the tables in this process asks the same engine. */
  tables: {
    readonly client: ClickhouseClient;
    /** For who may only read; null: the tables are a server's. */
    readonly reader: ClickhouseClient | null;
    readonly httpUrl: string | null;
  } | null;
  /** What this process has lately told its clients of their events. */
  readonly recent: Recent;
}
