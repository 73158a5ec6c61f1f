// What answers in ClickHouse's place, in every wrong way there is, to every sort of statement: none of it is taken for a
// success, and none for a definite refusal. Then the real one answers, and the same block is there once.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type ClickhouseClient, clickhouseClient } from '../../src/adapters/clickhouse/client.ts';
import { sinkError } from '../../src/adapters/clickhouse/errors.ts';
import { clickhouseSink } from '../../src/adapters/clickhouse/write/sink.ts';
import type { PipelineError } from '../../src/errors.ts';
import { type ClickhouseServer, startClickhouseServer } from '../support/clickhouse.ts';
import { type WrongAnswer, wrongAnswers } from '../support/clickhouse-strangers.ts';
import { seenBlock, seenRows, seenTable } from '../support/rows.ts';

let server: ClickhouseServer;
let stranger: ReturnType<typeof Bun.serve>;
let wrong: WrongAnswer | null = null;
let client: ClickhouseClient;
const never = new AbortController().signal;

beforeAll(async () => {
  server = await startClickhouseServer();
  stranger = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const url = new URL(request.url);
      url.port = new URL(server.url).port;
      const body = await request.arrayBuffer();
      const pass = async () => {
        const headers = new Headers(request.headers);
        for (const name of ['host', 'connection', 'content-length', 'transfer-encoding']) headers.delete(name);
        const answer = await fetch(url, { method: request.method, headers, body });
        return new Response(await answer.arrayBuffer(), answer);
      };
      return wrong === null ? pass() : wrong.answer({ pass, url });
    },
  });
  client = clickhouseClient({ url: stranger.url.href, user: 'default', password: '', timeoutMs: 5_000 });
});
afterAll(async () => {
  await client.close();
  await stranger.stop(true);
  await server.remove();
});

/** A sink on a database of its own, whose tables are there. */
async function prepared() {
  wrong = null;
  const database = `strange_${crypto.randomUUID().replaceAll('-', '')}`;
  const sink = clickhouseSink({
    client,
    database,
    tables: [seenTable],
    migrate: 'auto',
    timeoutMs: 5_000,
    embedded: false,
  });
  await sink.prepare();
  const count = async (table: string) => {
    wrong = null;
    return (await client.read<{ n: number }>(`SELECT toUInt32(count()) AS n FROM ${database}.${table}`))[0]!.n;
  };
  return { sink, database, count };
}

const failureOf = (doing: Promise<unknown>): Promise<PipelineError> =>
  doing.then(
    () => {
      throw new Error('it was taken for a success');
    },
    error => error as PipelineError,
  );

const letter = {
  topic: 't',
  partition: 0,
  position: 1,
  index: 0,
  log: '',
  reason: 'not_json',
  detail: '',
  raw: Buffer.from('x'),
  atMs: 1,
  failedAtMs: 1,
} as const;

describe.each(Object.entries(wrongAnswers))('%s', (_, answer) => {
  test('to an insert is an unknown outcome; the same block is there once when ClickHouse itself answers', async () => {
    const { sink, count } = await prepared();
    const block = seenBlock(...seenRows(20));
    wrong = answer;
    for (let times = 0; times < 2; times++) {
      const { code, retry } = await failureOf(sink.insert(block, 'token', never));
      expect([code, retry]).toEqual(['sink_unknown', 'backoff']);
    }
    wrong = null;
    await sink.insert(block, 'token', never);
    expect([await count('seen'), await count('seen_rows')]).toEqual([20, 20]);
  });

  test('to dead letters, to a look whether rows would be taken, to the schema and to a question: unknown', async () => {
    const { sink, database, count } = await prepared();
    wrong = answer;
    const failures = [
      await failureOf(sink.deadLetter([letter], never)),
      await failureOf(sink.check(seenBlock(...seenRows(1)), never)),
      await failureOf(sink.prepare()),
      await failureOf(
        client.read(`SELECT event_id FROM ${database}.seen`).catch(error => {
          throw sinkError(error, 'reading');
        }),
      ),
    ];
    expect(failures.map(({ code }) => code)).toEqual(failures.map(() => 'sink_unknown'));
    wrong = null;
    await sink.deadLetter([letter], never);
    expect(await count('dead_letters')).toBe(1);
    expect(await sink.check(seenBlock(...seenRows(1)), never)).toBeNull();
    await sink.prepare();
  });
});

test('half of a result is none, wherever it ends', async () => {
  const { database } = await prepared();
  const query = `SELECT number AS n FROM numbers(1000) WHERE '${database}' <> ''`;
  for (const share of [0.1, 0.5, 0.99]) {
    wrong = {
      answer: async ({ pass }) => {
        const answer = await pass();
        const body = await answer.bytes();
        const headers = new Headers(answer.headers);
        headers.delete('content-length');
        return new Response(body.subarray(0, Math.floor(body.length * share)), { headers });
      },
    };
    expect((await failureOf(client.read(query))).message).toStartWith('its result is not whole');
  }
  wrong = null;
  expect(await client.read(query)).toHaveLength(1000);
});

test('a server that is not ClickHouse at all is named as that, with what it said, and without the password', async () => {
  const page = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: () => new Response('<h1>It works!</h1>', { headers: { 'content-type': 'text/html' } }),
  });
  const lost = clickhouseClient({
    url: `http://me:secret@127.0.0.1:${page.port}`,
    user: 'default',
    password: '',
    timeoutMs: 5_000,
  });
  const sink = clickhouseSink({
    client: lost,
    database: 'ugc',
    tables: [seenTable],
    migrate: 'auto',
    timeoutMs: 5_000,
    embedded: false,
  });
  const { message } = await failureOf(sink.prepare());
  expect(message).toBe(
    `what answers at http://127.0.0.1:${page.port} is not ClickHouse, or something between changes its answers: 200, text/html, "<h1>It works!</h1>" (UGC_CLICKHOUSE_URL)`,
  );
  await lost.close();
  await page.stop(true);
});
