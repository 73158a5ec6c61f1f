// What /metrics says of the way into ClickHouse while nothing is on it.

import { afterAll, expect, test } from 'bun:test';
import { catalogue } from '../../schemas/catalogue.ts';
import { exampleClick } from '../support/events.ts';
import { cleanUp, eventually, startUgc, temporaryFolder } from '../support/ugc.ts';

afterAll(cleanUp);

test('every topic has a lag at rest, and it is none; a process that moves nothing has no lag', async () => {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir });
  const lags = async (url: string) => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return [...text.matchAll(/^ugc_etl_lag_seconds\{topic="([^"]+)"\} (.+)$/gm)].map(([, topic, value]) => [
      topic,
      value,
    ]);
  };
  const none = [...catalogue.types, { name: 'rejections' }].map(({ name }) => [`ugc.${name}`, '0']);
  expect((await lags(ugc.url)).toSorted()).toEqual(none.toSorted());
  expect((await ugc.post(exampleClick)).status).toBe(200);
  await eventually(async () => (await ugc.query('SELECT 1 FROM ugc.click')).length === 1, { what: 'the row' });
  await eventually(async () => (await lags(ugc.url)).every(([, value]) => value === '0'), { what: 'no lag again' });
  expect(await ugc.stop()).toBe(0);
  const ingest = await startUgc({ dataDir, flags: ['--role=ingest'] });
  expect(await lags(ingest.url)).toEqual([]);
  expect(await ingest.stop()).toBe(0);
});
