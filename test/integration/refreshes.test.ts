// What the engine says of aggregates it computes, cannot compute, and computes again.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { aggregates } from '../../schemas/aggregates.ts';
import { catalogue } from '../../schemas/catalogue.ts';
import { tableOf } from '../../schemas/table.ts';
import { chdbConnection } from '../../src/adapters/chdb/connection.ts';
import { refreshesIn } from '../../src/adapters/clickhouse/ask/refreshes.ts';
import { type ClickhouseClient, clickhouseClient } from '../../src/adapters/clickhouse/client.ts';
import { clickhouseSink } from '../../src/adapters/clickhouse/write/sink.ts';
import { type TemporaryEngine, temporaryEngine } from '../support/clickhouse.ts';
import { eventually } from '../support/ugc.ts';

let local: TemporaryEngine;
let client: ClickhouseClient;
beforeAll(() => {
  local = temporaryEngine();
  client = clickhouseClient({ connection: chdbConnection(local.engine) });
});
afterAll(() => local?.[Symbol.asyncDispose]());

const never = new AbortController().signal;
const sql = (query: string) => local.engine.query(query);
const named = async (name: string) =>
  (await refreshesIn(client, 'ugc', never)).find(refresh => refresh.name === name) ?? null;

test('an aggregate whose table is gone fails, in words, and is well again once the table is back', async () => {
  expect(await refreshesIn(client, 'ugc', never)).toEqual([]);
  const sink = clickhouseSink({
    client,
    database: 'ugc',
    tables: catalogue.types.map(tableOf),
    migrate: 'auto',
    timeoutMs: 20_000,
    embedded: true,
    aggregates,
    refreshSeconds: 1,
  });
  await sink.prepare();
  const names = aggregates.map(({ name }) => name).toSorted();
  await eventually(
    async () => {
      const seen = await refreshesIn(client, 'ugc', never);
      expect(seen.map(({ name }) => name).toSorted()).toEqual(names);
      return seen.every(({ ageSeconds, tookSeconds }) => ageSeconds !== null && tookSeconds !== null);
    },
    { what: 'each has been computed' },
  );
  expect((await named('events_per_minute'))!.failure).toBeNull();

  await sql('DROP TABLE ugc.events SYNC');
  const failed = await eventually(
    async () => {
      const refresh = await named('events_per_minute');
      return refresh?.failure ? refresh : null;
    },
    { what: 'a failure' },
  );
  expect(failed.failure).toMatch(/^Code: 60\. .*ugc\.events.*$/); // one line, without a stack
  await eventually(async () => (await named('events_per_minute'))!.ageSeconds! >= 2, { what: 'what readers see ages' });
  expect((await named('quality_changes_daily'))!.failure).toBeNull();

  await sink.prepare();
  await eventually(async () => (await named('events_per_minute'))!.failure === null, { what: 'no failure any more' });
  await eventually(async () => (await named('events_per_minute'))!.ageSeconds! <= 1, { what: 'fresh again' });
});

test('a server that cannot be asked is an error of ours', async () => {
  const nobody = clickhouseClient({ url: 'http://127.0.0.1:1', user: 'default', password: '', timeoutMs: 500 });
  await expect(refreshesIn(nobody, 'ugc', never)).rejects.toMatchObject({ code: 'sink_unknown' });
  await nobody.close();
});
