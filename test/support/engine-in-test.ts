// What files of tests on the real engine have: one from their first test to their last, SQL on it, and for each test a
// database of its own with the tables it names.

import { afterAll, beforeAll } from 'bun:test';
import { chdbConnection } from '../../src/adapters/chdb/connection.ts';
import type { Engine } from '../../src/adapters/chdb/engine.ts';
import { type ClickhouseClient, clickhouseClient } from '../../src/adapters/clickhouse/client.ts';
import { clickhouseSink } from '../../src/adapters/clickhouse/write/sink.ts';
import type { SinkWithDeadLetters } from '../../src/ports/sink.ts';
import type { TableDefinition } from '../../src/ports/tables.ts';
import { type TemporaryEngine, temporaryEngine } from './clickhouse.ts';

export interface EngineInTest {
  /** There from the first test on. */
  readonly engine: Engine;
  /** The answer as TSV, without white space around it. */
  sql(query: string): Promise<string>;
  /** Rows go through `client`, if one is given. */
  prepared(tables: readonly TableDefinition[], client?: ClickhouseClient): Promise<PreparedDatabase>;
}

export interface PreparedDatabase {
  readonly db: string;
  readonly client: ClickhouseClient;
  readonly sink: SinkWithDeadLetters;
}

/** To be called once in a file. */
export function engineInTest(): EngineInTest {
  let local: TemporaryEngine;
  let databases = 0;
  beforeAll(() => {
    local = temporaryEngine();
  });
  afterAll(() => local[Symbol.asyncDispose]());
  return {
    get engine() {
      return local.engine;
    },
    sql: async query => (await local.engine.query(query)).bytes.toString().trim(),
    async prepared(tables, client = clickhouseClient({ connection: chdbConnection(local.engine) })) {
      const db = `test_${++databases}`;
      const sink = clickhouseSink({
        client,
        database: db,
        tables,
        migrate: 'auto',
        timeoutMs: 20_000,
        embedded: true,
      });
      await sink.prepare();
      return { db, client, sink };
    },
  };
}
