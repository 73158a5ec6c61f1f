// The four aggregates that are kept ready for readers, as charts.

import { useState } from 'preact/hooks';
import type { ConsoleAggregates } from '../answers.ts';
import { useAsked } from './ask.ts';
import { Chart, type Line } from './chart.tsx';
import { Choice } from './choice.tsx';
import { Bars, Shown, View } from './parts.tsx';
import type { Viewed } from './viewed.ts';
import { number } from './words.ts';

const spans = [1, 7, 30, 90, 366] as const;
const [linesMax, barsMax] = [5, 15];

type Row = Readonly<Record<string, unknown>>;

export function Aggregates(_: Viewed) {
  const [days, setDays] = useState<number>(7);
  const asked = useAsked<ConsoleAggregates>(`/v1/console/aggregates?days=${days}`, 60_000);
  return (
    <View
      title="Aggregates"
      about="Counted from the exact tables: what was sent twice counts once. Days and minutes are UTC."
      tools={
        <Choice
          words="Last"
          value={String(days)}
          options={spans.map(span => [span, span === 1 ? 'day' : `${span} days`])}
          onChoose={span => setDays(Number(span))}
          again={asked.again}
        />
      }
    >
      <Shown asked={asked}>{found => <Four found={found} />}</Shown>
    </View>
  );
}

const Four = ({ found }: { readonly found: ConsoleAggregates }) => (
  <div class="charts">
    <Minutes rows={found.events_per_minute} />
    <Days
      title="Active users, by day"
      rows={found.active_users_daily}
      columns={[
        ['users', 'users'],
        ['visitors', 'visitors'],
      ]}
    />
    <div class="stack">
      <Days
        title="Views of films, by day"
        rows={found.film_views_daily}
        columns={[
          ['views', 'views'],
          ['completions', 'completions'],
        ]}
      />
      <Most
        title="Most viewed films"
        columns={['Film', 'Views']}
        rows={found.film_views_daily}
        nameOf={row => String(row.film_id)}
        column="views"
      />
    </div>
    <div class="stack">
      <Days title="Changes of quality, by day" rows={found.quality_changes_daily} columns={[['changes', 'changes']]} />
      <Most
        title="From and to"
        columns={['Change', 'Times']}
        rows={found.quality_changes_daily}
        nameOf={row => `${row.from_quality} → ${row.to_quality}`}
        column="changes"
      />
    </div>
  </div>
);

/** Of what ClickHouse writes, of UTC. */
const secondsOf = (text: unknown): number =>
  Date.parse(`${String(text).replace(' ', 'T').padEnd(19, 'T00:00:00').slice(0, 19)}Z`) / 1_000;

/** Sums of a column by what names its rows, largest first. */
function sums(
  rows: readonly Row[],
  nameOf: (row: Row) => string,
  column: string,
): readonly (readonly [string, number])[] {
  const found = new Map<string, number>();
  for (const row of rows) found.set(nameOf(row), (found.get(nameOf(row)) ?? 0) + Number(row[column] ?? 0));
  return [...found].toSorted(([, a], [, b]) => b - a);
}

/** Seconds of a point, its name, and the seconds up to which it is taken. */
const steps = [
  { step: 60, words: 'minute', upTo: 6 * 3_600 },
  { step: 600, words: 'ten minutes', upTo: 2 * 86_400 },
  { step: 3_600, words: 'hour', upTo: 31 * 86_400 },
] as const;
const longest = { step: 86_400, words: 'day' } as const;

/** Times without an event have no row, and are drawn as none. */
function Minutes({ rows }: { readonly rows: readonly Row[] }) {
  const types = sums(rows, row => String(row.event_type), 'events').slice(0, linesMax);
  const seconds = rows.map(({ minute }) => secondsOf(minute));
  const span = (seconds.at(-1) ?? 0) - (seconds[0] ?? 0);
  const { step, words } = steps.find(({ upTo }) => span <= upTo) ?? longest;
  const points = new Map<number, Map<string, number>>();
  for (const [at, row] of rows.entries()) {
    const second = Math.floor(seconds[at]! / step) * step;
    if (!Number.isFinite(second)) continue;
    const of = points.get(second) ?? new Map<string, number>();
    points.set(second, of);
    const type = String(row.event_type);
    of.set(type, (of.get(type) ?? 0) + Number(row.events ?? 0));
  }
  for (const second of [...points.keys()])
    for (const beside of [second - step, second + step]) if (!points.has(beside)) points.set(beside, new Map());
  const times = [...points.keys()].toSorted((a, b) => a - b);
  return (
    <Chart
      title={`Events, by ${words}`}
      times={times}
      tell={number}
      lines={types.map(([type]) => ({ label: type, values: times.map(second => points.get(second)?.get(type) ?? 0) }))}
    />
  );
}

interface DaysProps {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly columns: readonly (readonly [column: string, label: string])[];
}

function Days({ title, rows, columns }: DaysProps) {
  const days = [...new Set(rows.map(({ day }) => String(day)))].toSorted();
  const lines: Line[] = columns.map(([column, label]) => {
    const byDay = new Map(sums(rows, ({ day }) => String(day), column));
    return { label, values: days.map(day => byDay.get(day) ?? 0) };
  });
  return <Chart title={title} times={days.map(secondsOf)} lines={lines} tell={number} isDaily />;
}

interface MostProps {
  readonly title: string;
  readonly columns: readonly [string, string];
  readonly rows: readonly Row[];
  readonly nameOf: (row: Row) => string;
  readonly column: string;
}

const Most = ({ title, columns, rows, nameOf, column }: MostProps) =>
  rows.length === 0 ? null : (
    <section class="panel">
      <h2>{title}</h2>
      <Bars
        caption={title}
        columns={columns}
        rows={sums(rows, nameOf, column)
          .slice(0, barsMax)
          .map(([name, value]) => ({ name, value, words: number(value) }))}
      />
    </section>
  );
