import { describe, expect, test } from 'bun:test';
import { Registry } from 'prom-client';
import { countsOf } from '../../../src/process/counts.ts';

const registry = () => new Registry();
const lines = async (registry: Registry) => (await registry.metrics()).split('\n').filter(line => /^\w/.test(line));

describe('counts', () => {
  test('are there when the metric is read, each once, in the order of the labels', async () => {
    const at = registry();
    const counts = countsOf({ name: 'seen', help: 'Seen', registers: [at] }, ['type', 'outcome']);
    for (const [type, outcome] of [
      ['a', 'x'],
      ['a', 'y'],
      ['a', 'x'],
      ['b', 'x'],
      ['a', 'x'],
    ])
      counts.add(type!, outcome);
    const seen = ['seen{type="a",outcome="x"} 3', 'seen{type="a",outcome="y"} 1', 'seen{type="b",outcome="x"} 1'];
    expect(await lines(at)).toEqual(seen);
    expect(await lines(at)).toEqual(seen);
    counts.add('b', 'x');
    expect(await lines(at)).toEqual(seen.with(2, 'seen{type="b",outcome="x"} 2'));
  });

  test('of one label', async () => {
    const at = registry();
    const counts = countsOf({ name: 'refused', help: 'Refused', registers: [at] }, ['reason']);
    counts.add('late');
    counts.add('late');
    expect(await lines(at)).toEqual(['refused{reason="late"} 2']);
  });

  test('that were not read yet are gone with a reset, too', async () => {
    const at = registry();
    const counts = countsOf({ name: 'seen', help: 'Seen', registers: [at] }, ['type']);
    counts.add('a');
    at.resetMetrics();
    counts.add('b');
    expect(await lines(at)).toEqual(['seen{type="b"} 1']);
  });
});
