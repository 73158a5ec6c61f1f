import { expect, test } from 'bun:test';
import { openMetrics } from '../../../src/process/telemetry.ts';
import { statisticsOf } from '../../../src/tap/statistics.ts';

function opened() {
  const metrics = openMetrics();
  let atMs = 1_000;
  const look = statisticsOf({
    metrics,
    scrape: async () => {},
    health: () => ({ ready: true, detail: {} }),
    about: { version: '0', host: 'here', pid: 1, roles: ['ingest'] },
    readers: () => 1,
    flows: () => [],
    now: () => atMs,
  });
  return {
    metrics,
    async after(seconds: number) {
      atMs += seconds * 1_000;
      return look();
    },
  };
}

test('rates are of the last five seconds, of what was counted before as well', async () => {
  const { metrics, after } = opened();
  const count = (events: number) => {
    for (let n = 0; n < events; n++) metrics.eventsReceived.add('click', 'accepted');
    metrics.etlRows.inc({ table: 'click' }, events);
  };
  count(1_000);
  expect(await after(0)).toBeNull(); // a rate is of two looks
  for (let second = 1; second <= 20; second++) {
    count(100);
    const stats = await after(1);
    expect({ second, ...stats?.events }).toMatchObject({ second, in: 100, out: 100 });
    expect(stats?.types.click).toMatchObject({ in: 100, out: 100 });
    expect(stats?.window_seconds).toBe(Math.min(second, 5));
  }
  expect((await after(5))?.events.in).toBe(0);
});

test('times are those of the last five seconds alone', async () => {
  const { metrics, after } = opened();
  const answer = (seconds: number) => metrics.httpRequest.observe({ route: '/v1/events', status: '200' }, seconds);
  for (let n = 0; n < 100; n++) answer(4);
  await after(0);
  for (let n = 0; n < 100; n++) answer(0.002);
  const { answers } = (await after(5))!;
  expect(answers.rate).toBe(20);
  expect(answers.p99_ms).toBeLessThanOrEqual(2.5);
  for (let n = 0; n < 100; n++) answer(0.2);
  expect((await after(5))!.answers.p50_ms).toBeGreaterThan(100);
});

test('a wait of minutes is told as minutes: of quantiles none is more than the last bound of the histogram', async () => {
  const { metrics, after } = opened();
  await after(0);
  for (let n = 0; n < 100; n++) metrics.freshness.observe(240);
  for (let n = 0; n < 100; n++) metrics.etlInsert.observe(25);
  const stats = (await after(5))!;
  expect(stats.freshness_p99_ms).toBeGreaterThan(60_000);
  expect(stats.inserts.p99_ms).toBeGreaterThan(10_000);
});
