// No rule and no panel asks for a metric, or for a label of one, that there is not.

import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openMetrics } from '../../src/process/telemetry.ts';
import { panelQueries, type Rule, rulesOf } from '../support/rule-files.ts';

const root = join(import.meta.dir, '../..');
const alerts = await rulesOf('alerts.yaml');
const recorded = await rulesOf('recording.yaml');
const panels = await panelQueries();

/** What Prometheus adds to every sample. */
const everywhere = ['job', 'instance'];
const metrics = new Map<string, readonly string[]>([
  ['up', []],
  ['ALERTS', ['alertname', 'alertstate']],
  ...openMetrics()
    .registry.getMetricsAsArray()
    .map(metric => metric as unknown as { name: string; labelNames?: string[] })
    .map(({ name, labelNames = [] }) => [name, labelNames] as const),
  ...recorded.map(
    ({ record = '', expr }) => [record, /sum by \(([^)]*)\)/.exec(expr)?.[1]?.split(', ') ?? []] as const,
  ),
]);

/** Names of metrics that a query asks for, each with the labels that it names. */
function asked(expr: string): { readonly name: string; readonly labels: readonly string[] }[] {
  const by = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, names = '']) => names.split(/, ?/));
  return [...expr.matchAll(/\b(ugc[_:][a-z0-9_:]*|process_[a-z_]+|up|ALERTS)\b(?:\{([^}]*)\})?/g)].map(
    ([, name = '', matchers = '']) => ({
      name: metrics.has(name) ? name : name.replace(/_(bucket|count|sum)$/, ''),
      labels: [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label).concat(by),
    }),
  );
}

const wrongIn = (expr: string): string[] => {
  const names = asked(expr);
  if (names.length === 0) return [`${expr} asks for nothing of ugc`];
  return names.flatMap(({ name, labels }) => {
    const there = metrics.get(name);
    if (there === undefined) return [`there is no metric ${name}`];
    return labels
      .filter(label => label !== 'le' && ![...there, ...everywhere].includes(label))
      .map(label => `${name} has no label ${label}`);
  });
};

test('a wrong name, or label, is found', () => {
  expect(wrongIn('sum(rate(ugc_events_stored_totals[5m]))')).toEqual(['there is no metric ugc_events_stored_totals']);
  expect(wrongIn('sum by (table) (ugc_etl_lag_events{toopic="a"})')).toEqual([
    'ugc_etl_lag_events has no label toopic',
    'ugc_etl_lag_events has no label table',
  ]);
});

test.each(panels.map(({ of, expr }) => [of, expr] as const))('%s', (_, expr) => expect(wrongIn(expr)).toEqual([]));

const nameOf = ({ alert, record }: Rule): string => alert ?? record ?? '';

describe('rules', () => {
  test.each([...recorded, ...alerts].map(rule => [nameOf(rule), rule] as const))('%s', (_, { expr }) =>
    expect(wrongIn(expr)).toEqual([]),
  );

  test('no two have one name', () => {
    const names = [...recorded, ...alerts].map(nameOf);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });

  test('what is computed once is used', () => {
    const all = [...panels, ...alerts].map(({ expr }) => expr).join(' ');
    expect(recorded.filter(({ record = '' }) => !all.includes(record)).map(nameOf)).toEqual([]);
  });
});

test('an alert says how bad it is, what follows and where to read on', () => {
  const wrong = alerts.filter(
    ({ labels, annotations }) =>
      !['critical', 'warning'].includes(labels?.severity ?? '') ||
      [annotations?.summary, annotations?.description].some(text => text === undefined || text === '') ||
      !existsSync(join(root, annotations?.page ?? '-')),
  );
  expect(wrong.map(nameOf)).toEqual([]);
});
