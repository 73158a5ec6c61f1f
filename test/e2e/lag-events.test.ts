// What /metrics says is left to do, where the disk is the log.

import { afterAll, expect, test } from 'bun:test';
import { catalogue } from '../../schemas/catalogue.ts';
import { exampleClick } from '../support/events.ts';
import { cleanUp, eventually, startUgc, temporaryFolder } from '../support/ugc.ts';

afterAll(cleanUp);

const lags = async (url: string): Promise<Record<string, number>> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  const samples = [...text.matchAll(/^ugc_etl_lag_events\{topic="([^"]+)"\} (.+)$/gm)];
  return Object.fromEntries(samples.map(([, topic, value]) => [topic, Number(value)]));
};
const none = Object.fromEntries([...catalogue.types, { name: 'rejections' }].map(({ name }) => [`ugc.${name}`, 0]));

test('events wait and are said to, also while ClickHouse has not been there since the start; then none does', async () => {
  const dataDir = temporaryFolder();
  const ingest = await startUgc({ dataDir, flags: ['--role=ingest'] });
  for (let at = 0; at < 3; at++) expect((await ingest.post(exampleClick)).status).toBe(200);
  expect(await lags(ingest.url)).toEqual({}); // it moves nothing
  const waiting = await startUgc({
    dataDir,
    flags: ['--role=etl', '--clickhouse-url=http://127.0.0.1:1', '--clickhouse-timeout-ms=500'],
  });
  expect(await lags(waiting.url)).toEqual({ ...none, 'ugc.click': 3 });
  await ingest.post(exampleClick);
  await eventually(async () => (await lags(waiting.url))['ugc.click'] === 4, { what: 'what came meanwhile' });
  await waiting.stop();
  const moving = await startUgc({ dataDir, flags: ['--role=etl'] });
  await eventually(async () => Bun.deepEquals(await lags(moving.url), none), { what: 'nothing left' });
  expect(await moving.query('SELECT count() AS n FROM ugc.click')).toEqual([{ n: 4 }]);
  await moving.stop();
  await ingest.stop();
});
