// Draws what a query found, where it can be: numbers over time as lines, numbers by name as bars.

import type { QueryAnswer } from '../answers.ts';
import { Chart } from './chart.tsx';
import { Bars } from './parts.tsx';
import { cell, number } from './words.ts';

const [linesMax, barsMax] = [6, 40];

export function ResultChart({ answer: { columns, rows } }: { readonly answer: QueryAnswer }) {
  const time = columns.findIndex(({ type }) => /^(Nullable\()?Date/.test(type));
  const numeric = columns.flatMap(({ name, type }, at) => (isNumeric(type) ? [{ name, at }] : []));
  const first = numeric[0];
  if (first === undefined || rows.length < 2) return null;
  if (time >= 0) {
    const isDaily = /Date(32)?\)?$/.test(columns[time]!.type);
    const points = rows
      .map(row => ({ at: secondsOf(cell(row[time])), row }))
      .filter(({ at }) => Number.isFinite(at))
      .toSorted((a, b) => a.at - b.at);
    return (
      <Chart
        title={`By ${columns[time]!.name}`}
        times={points.map(({ at }) => at)}
        lines={numeric
          .slice(0, linesMax)
          .map(({ name, at }) => ({ label: name, values: points.map(({ row }) => numberIn(row[at])) }))}
        tell={number}
        isDaily={isDaily}
      />
    );
  }
  const named = columns.findIndex(({ type }) => !isNumeric(type));
  if (named < 0) return null;
  return (
    <section class="panel">
      <Bars
        caption={`${first.name} by ${columns[named]!.name}`}
        columns={[columns[named]!.name, first.name]}
        rows={rows.slice(0, barsMax).map(row => ({
          name: cell(row[named]),
          value: numberIn(row[first.at]) ?? 0,
          words: cell(row[first.at]),
        }))}
      />
    </section>
  );
}

export const isNumeric = (type: string): boolean => /^(Nullable\(|LowCardinality\()*(U?Int|Float|Decimal)/.test(type);

/** Of what ClickHouse writes: `2026-11-29`, `2026-11-29 14:03:07.120`, of UTC. */
const secondsOf = (text: string): number =>
  Date.parse(text.length <= 10 ? `${text}T00:00:00Z` : `${text.replace(' ', 'T').replace(/Z?$/, 'Z')}`) / 1_000;

function numberIn(value: unknown): number | null {
  const found = value === null || value === undefined ? Number.NaN : Number(value);
  return Number.isFinite(found) ? found : null;
}
