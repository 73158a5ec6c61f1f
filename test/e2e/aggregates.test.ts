// An aggregate that ClickHouse cannot compute, as whoever operates ugc gets to know of it.

import { afterAll, expect, test } from 'bun:test';
import { metric } from '../support/oracle.ts';
import { cleanUp, eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

afterAll(cleanUp);

const flags = ['--clickhouse-refresh-seconds=1', '--clickhouse-http-readonly=false'];
const detailOf = async ({ url }: Ugc): Promise<Record<string, string>> => {
  const response = await fetch(`${url}/healthz/ready`);
  expect(response.status).toBe(200); // events are stored all the same
  return ((await response.json()) as { detail?: Record<string, string> }).detail ?? {};
};

test('an aggregate that fails is named in readiness, metrics and log, until it is computed again', async () => {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir, flags });
  await eventually(async () => (await metric(ugc.url, 'ugc_aggregate_age_seconds')) > 0, {
    what: 'aggregates with an age',
  });
  expect(await metric(ugc.url, 'ugc_aggregate_failing')).toBe(0);
  expect(await detailOf(ugc)).toEqual({});
  const dropped = await fetch(ugc.clickhouseUrl, { method: 'POST', body: 'DROP TABLE ugc.events SYNC' });
  expect(dropped.status).toBe(200);
  const named = 'aggregate events_per_minute';
  const detail = await eventually(async () => {
    const now = await detailOf(ugc);
    return named in now ? now : null;
  });
  expect(detail[named]).toContain('ugc.events');
  const samples = await (await fetch(`${ugc.url}/metrics`)).text();
  expect(samples).toContain('ugc_aggregate_failing{aggregate="events_per_minute"} 1');
  expect(samples).toContain('ugc_aggregate_failing{aggregate="quality_changes_daily"} 0');
  expect(ugc.output()).toContain('"message":"an aggregate could not be computed; readers see its last state"');
  expect(await ugc.stop()).toBe(0);

  const again = await startUgc({ dataDir, flags });
  await eventually(async () => (await metric(again.url, 'ugc_aggregate_age_seconds')) > 0, { what: 'computed again' });
  await eventually(async () => !(named in (await detailOf(again))), { what: 'no problem any more' });
  expect(await again.stop()).toBe(0);
});
