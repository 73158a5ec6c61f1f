import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chdbConnection } from '../../src/adapters/chdb/connection.ts';
import { type ClickhouseClient, clickhouseClient } from '../../src/adapters/clickhouse/client.ts';
import { clickhouseSink } from '../../src/adapters/clickhouse/write/sink.ts';
import {
  type ClickhouseServer,
  startClickhouseServer,
  type TemporaryEngine,
  temporaryEngine,
} from '../support/clickhouse.ts';
import { seenBlock, seenRows, seenTable } from '../support/rows.ts';
import { soon } from '../support/until.ts';
import { failureOf, never, newDatabase, type SinkUnderTest, sinkContract } from './sink.contract.ts';

/** Of statements that are to succeed. */
const patientMs = 60_000;

let local: TemporaryEngine;
let server: ClickhouseServer;
const clients: ClickhouseClient[] = [];

beforeAll(async () => {
  local = temporaryEngine();
  server = await startClickhouseServer();
});

afterAll(async () => {
  for (const client of clients) await client.close();
  await server.remove();
  await local[Symbol.asyncDispose]();
});

const overHttp = (timeoutMs: number, compression?: 'zstd' | 'gzip') =>
  clickhouseClient({ url: server.url, user: 'default', password: '', timeoutMs, compression });

function underTest(connect: (timeoutMs: number) => ClickhouseClient, embedded: boolean): SinkUnderTest {
  const client = keep(connect(patientMs));
  return {
    sink: ({ database, tables = [seenTable], migrate = 'auto', timeoutMs = patientMs }) => {
      const own = timeoutMs === patientMs ? client : keep(connect(timeoutMs));
      return clickhouseSink({ client: own, database, tables, migrate, timeoutMs, embedded });
    },
    query: <Row>(query: string) => client.read<Row>(query),
    command: query => client.run(query),
  };
}

function keep(client: ClickhouseClient): ClickhouseClient {
  clients.push(client);
  return client;
}

sinkContract('the embedded engine', () =>
  underTest(() => clickhouseClient({ connection: chdbConnection(local.engine) }), true),
);

sinkContract('a server over HTTP', () => underTest(timeoutMs => overHttp(timeoutMs), false));

sinkContract('a server over HTTP, compressed', () => underTest(timeoutMs => overHttp(timeoutMs, 'zstd'), false));

describe('a server that dies or hangs in the middle', () => {
  async function prepared() {
    const under = underTest(overHttp, false);
    const database = newDatabase();
    const sink = under.sink({ database });
    await sink.prepare();
    const counts = async () => {
      const rows = await under.query<{ n: number; m: number }>(
        `SELECT toUInt32((SELECT count() FROM ${database}.seen)) AS n, toUInt32((SELECT uniqExact(event_id) FROM ${database}.seen_rows)) AS m`,
      );
      return rows[0];
    };
    return { sink, hasty: under.sink({ database, timeoutMs: 500 }), counts };
  }

  test('hung past the timeout: the outcome is unknown, and the same token again makes it exactly one of each', async () => {
    const { sink, hasty, counts } = await prepared();
    const block = seenBlock(...seenRows(300));
    server.freeze();
    const error = await failureOf(hasty.insert(block, 'frozen', never));
    server.thaw();
    expect([error.code, error.retry]).toEqual(['sink_unknown', 'backoff']);
    await repeat(() => sink.insert(block, 'frozen', never));
    expect(await counts()).toEqual({ n: 300, m: 300 });
  });

  test('killed while it inserts: the same, once it is back', async () => {
    const { sink, counts } = await prepared();
    const block = seenBlock(...seenRows(60_000));
    const insert = failureOf(sink.insert(block, 'killed', never));
    await server.kill();
    const error = await insert;
    expect([error.code, error.retry]).toEqual(['sink_unknown', 'backoff']);
    expect((await failureOf(sink.insert(block, 'killed', never))).code).toBe('sink_unknown');
    await server.start();
    await repeat(() => sink.insert(block, 'killed', never));
    expect(await counts()).toEqual({ n: 60_000, m: 60_000 });
  });

  test('killed after it answered: what it answered for is there', async () => {
    const { sink, counts } = await prepared();
    const block = seenBlock(...seenRows(1_000));
    await sink.insert(block, 'answered', never);
    await server.kill();
    await server.start();
    await repeat(() => sink.insert(block, 'answered', never));
    expect(await counts()).toEqual({ n: 1_000, m: 1_000 });
  });
});

/** As the mover does: until it resolves. */
async function repeat(insert: () => Promise<void>): Promise<void> {
  const attempt = async (): Promise<void> =>
    insert().catch(error => (error.retry === 'backoff' ? attempt() : Promise.reject(error)));
  await soon(attempt(), 'an insert that resolves');
}
