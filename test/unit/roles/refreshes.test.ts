import { afterEach, expect, test } from 'bun:test';
import pino from 'pino';
import type { Refresh } from '../../../src/adapters/clickhouse/ask/refreshes.ts';
import { PipelineError } from '../../../src/errors.ts';
import { type Refreshes, watchRefreshes } from '../../../src/roles/refreshes.ts';
import { samplesOf, sharedMetrics } from '../../support/quiet.ts';
import { soon, until } from '../../support/until.ts';

const well: Refresh = { name: 'per_minute', ageSeconds: 5, tookSeconds: 0.25, failure: null };
const failing: Refresh = { ...well, ageSeconds: 65, failure: 'Code: 60. no such table' };

let said: readonly Refresh[] | Error;
let looks: number;
let lines: { readonly message: string; readonly aggregate?: string; readonly reason?: string }[];
let watching: Refreshes;

function watch(first: readonly Refresh[] | Error): void {
  said = first;
  looks = 0;
  lines = [];
  const logger = pino({ messageKey: 'message' }, { write: line => void lines.push(JSON.parse(line)) });
  watching = watchRefreshes({
    read: async () => {
      looks++;
      if (said instanceof Error) throw said;
      return said;
    },
    names: new Set(['per_minute', 'daily']),
    everyMs: 1,
    logger,
    metrics: sharedMetrics,
  });
}
afterEach(() => soon(watching.stop(), 'the watch to stop'));

/** Two more: the first may have begun before. */
async function looked(): Promise<void> {
  const before = looks;
  await until(() => looks > before + 1, 'it has looked again');
}
async function metrics() {
  watching.scrape();
  return {
    age: await samplesOf(sharedMetrics, 'ugc_aggregate_age_seconds'),
    failing: await samplesOf(sharedMetrics, 'ugc_aggregate_failing'),
    took: await samplesOf(sharedMetrics, 'ugc_aggregate_refresh_seconds'),
  };
}

test('an aggregate that is computed has its age and no problem; views of others are none of its business', async () => {
  watch([well, { ...failing, name: 'somebody_elses' }]);
  await looked();
  const { age, ...rest } = await metrics();
  expect(Object.keys(age)).toEqual(['aggregate=per_minute']);
  expect(age['aggregate=per_minute']).toBeGreaterThanOrEqual(5);
  expect(rest).toEqual({ failing: { 'aggregate=per_minute': 0 }, took: { 'aggregate=per_minute': 0.25 } });
  expect(watching.problems()).toEqual({});
  expect(lines).toEqual([]);
});

test('one that fails is said to once, is a problem as long as it does, and its end is said too', async () => {
  watch([well]);
  await looked();
  said = [failing];
  await looked();
  expect(watching.problems()).toEqual({ 'aggregate per_minute': 'Code: 60. no such table' });
  expect((await metrics()).failing).toEqual({ 'aggregate=per_minute': 1 });
  await looked();
  expect(lines.map(({ message, aggregate, reason }) => [message, aggregate, reason])).toEqual([
    ['an aggregate could not be computed; readers see its last state', 'per_minute', 'Code: 60. no such table'],
  ]);
  said = [well];
  await looked();
  expect(watching.problems()).toEqual({});
  expect((await metrics()).failing).toEqual({ 'aggregate=per_minute': 0 });
  expect(lines.map(({ message }) => message).slice(1)).toEqual(['the aggregate is computed again']);
});

test('one that has never been computed has no age', async () => {
  watch([{ name: 'daily', ageSeconds: null, tookSeconds: null, failure: null }]);
  await looked();
  expect(await metrics()).toEqual({ age: {}, failing: { 'aggregate=daily': 0 }, took: {} });
});

test('while ClickHouse is away what was known stays, and grows older', async () => {
  watch([well]);
  await looked();
  said = new PipelineError('sink_unknown', 'connection refused');
  await looked();
  const before = (await metrics()).age['aggregate=per_minute']!;
  await until(() => {
    watching.scrape();
    return looks > 5;
  }, 'some time has passed');
  expect((await metrics()).age['aggregate=per_minute']).toBeGreaterThan(before);
  expect(lines).toEqual([]); // whoever inserts has told
});

test('a ClickHouse that refuses to say is complained of once', async () => {
  watch(new PipelineError('sink_halted', 'not enough privileges'));
  await looked();
  await looked();
  expect(lines.map(({ message }) => message)).toEqual(['ClickHouse does not say whether the aggregates are fresh']);
  expect(await metrics()).toEqual({ age: {}, failing: {}, took: {} });
});
