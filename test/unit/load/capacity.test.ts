// The formulas, against values calculated by hand.

import { describe, expect, test } from 'bun:test';
import { capacityOf, type Demand, presets } from '../../../src/load/capacity.ts';
import { type Coefficients, coefficients } from '../../../src/load/coefficients.ts';

const round = {
  ingestRequestUs: 50,
  ingestEventUs: 10,
  etlEventUs: 20,
  measuredBytes: 250,
  clickhouseShare: 0.2,
  bufferOverheadBytes: 500,
  drainPerS: 10_000,
  insertsPerTableS: 5,
  requestOverheadBytes: 250,
  partitionBytesPerS: 1_000_000,
  peakHours: 1,
  coreUse: 0.5,
  diskUse: 0.5,
};
const by = Object.fromEntries(
  Object.entries(round).map(([name, value]) => [name, { value, from: name }]),
) as Coefficients;

const demand: Demand = {
  averagePerS: 1_000,
  peakPerS: 4_000,
  eventBytes: 500,
  batch: 10,
  retentionDays: 10,
  replicas: 2,
  brokerReplicas: 3,
  brokerRetentionHours: 24,
  outageHours: 3,
  tables: 6,
};

const values = (given: Partial<Demand> = {}) =>
  Object.fromEntries(capacityOf({ ...demand, ...given }, by).map(({ name, value }) => [name, value]));

describe('capacity', () => {
  test('every number, by hand', () => {
    const all = values();
    const wanted = {
      'events a day': 86_400_000,
      'requests at the peak': 400,
      'cores of ingest': 0.2, // 4 000 × (50 / 10 + 10 × 2) µs = 0.1 s/s, of which half of a core is used
      'cores of etl and ClickHouse': 0.32, // 4 000 × 20 × 2 µs = 0.16
      'partitions of the busiest topic': 2, // 4 000 × 500 B = 2 MB/s
      'disk of the brokers': 1_000 * 500 * 86_400 * 3 * 2,
      'disk of ClickHouse': 86_400_000 * 500 * 0.2 * 10 * 2 * 2,
      'inserts at the peak': 30,
      'disk buffer for an outage': (4_000 + 2 * 1_000) * 3_600 * 1_000,
      'draining it afterwards': (6_000 * 3_600) / 10_000,
      'network into ingest': 4_000 * (500 + 25) * 8,
      'network of the brokers': 4_000 * 500 * 8 * 4,
    };
    expect(Object.keys(all).toSorted()).toEqual(Object.keys(wanted).toSorted());
    for (const [name, value] of Object.entries(wanted))
      expect([name, all[name]]).toEqual([name, expect.closeTo(value, 6)]);
  });

  test('small events cost what those measured did, a short outage is all peak, and a quiet table is not inserted into more often than it has events', () => {
    expect(values({ eventBytes: 100 })['cores of ingest']).toBeCloseTo(4_000 * 15e-6 * 2, 6);
    expect(values({ outageHours: 0.5 })['draining it afterwards']).toBeCloseTo((4_000 * 1_800) / 10_000, 6);
    expect(values({ peakPerS: 3 })['inserts at the peak']).toBe(3);
  });

  test('every preset has numbers above 0, with formulas and sources that say something', () => {
    for (const preset of Object.values(presets))
      for (const { name, value, formula, restsOn } of capacityOf(preset, coefficients)) {
        expect([name, Number.isFinite(value) && value > 0]).toEqual([name, true]);
        expect(formula).not.toMatch(/NaN|undefined|Infinity/);
        for (const source of restsOn) expect(source).toMatch(/^(docs\/figures\.md:|an assumption|head of a request)/);
      }
  });

  test('collection-system is 2.5 million events a day', () => {
    const [day] = capacityOf(presets['collection-system'], coefficients);
    expect(day!.value).toBeCloseTo(2_500_000, 3);
  });
});
