// The dashboards of deploy/superset: what happens now, on ClickHouse, and what happened ever, on Hive. Their columns are those
// of the definitions.

import { aggregates } from '../../schemas/aggregates.ts';
import type { EventType } from '../../schemas/event.ts';
import { rejectionsTable } from '../../schemas/rejections.ts';
import { tableOf } from '../../schemas/table.ts';
import type { Chart, Dashboard, Dataset } from './bundle.ts';

type Form = Readonly<Record<string, unknown>>;

/** What Superset calls the last day ends at its beginning; these end now. Without a zone: Superset's clock is in UTC. */
const lastHour = `DATEADD(DATETIME("now"), -1, hour) : DATEADD(DATETIME("now"), 1, minute)`;
const lastDay = `DATEADD(DATETIME("now"), -1, day) : DATEADD(DATETIME("now"), 1, minute)`;
const lastDays = (days: number): string =>
  `DATEADD(DATETIME("today"), -${days}, day) : DATEADD(DATETIME("today"), 1, day)`;

const lately = (column: string, range: string): Form => ({
  clause: 'WHERE',
  expressionType: 'SIMPLE',
  subject: column,
  operator: 'TEMPORAL_RANGE',
  comparator: range,
});

const number = (metric: string, adhoc_filters: readonly Form[] = []): Form => ({
  metric,
  adhoc_filters,
  header_font_size: 0.4,
});

const over = (x_axis: string, metrics: readonly string[], rest: Form): Form => ({
  x_axis,
  metrics,
  row_limit: 10_000,
  show_legend: true,
  rich_tooltip: true,
  ...rest,
});

const listOf = (groupby: readonly string[], metrics: readonly string[], rest: Form): Form => ({
  query_mode: 'aggregate',
  groupby,
  metrics,
  row_limit: 20,
  order_desc: true,
  ...rest,
});

const chart = (
  dataset: Dataset,
  [name, about]: readonly [string, string],
  kind: string,
  form: Form,
  width: number,
  height = 50,
): Chart => ({ name, about, dataset, kind, form, width, height });

export function dashboardsOf(types: readonly EventType[]): readonly Dashboard[] {
  return [now(), ever(types)];
}

function aggregate(name: string, time: string, metrics: Dataset['metrics']): Dataset {
  const found = aggregates.find(each => each.name === name);
  if (found === undefined) throw new Error(`there is no aggregate ${name}`);
  return { name, database: 'ClickHouse', about: found.summary, time, columns: found.columns, metrics };
}

function now(): Dashboard {
  const minutes = aggregate('events_per_minute', 'minute', { events_taken: 'sum(events)' });
  const films = aggregate('film_views_daily', 'day', {
    times_opened: 'sum(views)',
    watched_to_the_end: 'sum(completions)',
  });
  const users = aggregate('active_users_daily', 'day', {
    different_users: 'sum(users)',
    different_visitors: 'sum(visitors)',
  });
  const quality = aggregate('quality_changes_daily', 'day', { quality_changes: 'sum(changes)' });
  const rejections: Dataset = {
    name: rejectionsTable.type,
    database: 'ClickHouse',
    about: rejectionsTable.summary,
    time: 'timestamp',
    columns: rejectionsTable.columns,
    metrics: { events_rejected: 'sum(rejected)' },
  };
  const letters: Dataset = {
    name: 'dead_letters',
    database: 'ClickHouse',
    about: 'Records that could not become rows',
    time: 'failed_at',
    columns: [
      { name: 'topic', type: 'LowCardinality(String)' },
      { name: 'reason', type: 'LowCardinality(String)' },
      { name: 'detail', type: 'String' },
      { name: 'failed_at', type: "DateTime64(3, 'UTC')" },
      { name: 'replayed_at', type: "Nullable(DateTime64(3, 'UTC'))" },
      { name: 'dismissed_at', type: "Nullable(DateTime64(3, 'UTC'))" },
    ],
    metrics: { left_to_look_at: 'countIf(replayed_at IS NULL AND dismissed_at IS NULL)' },
  };
  const day = lately('minute', lastDay);
  return {
    title: 'What happens now',
    slug: 'ugc-now',
    about: 'The last day, from the exact tables in ClickHouse and what is counted from them',
    refreshSeconds: 60,
    rows: [
      [
        chart(
          minutes,
          ['Events in the last hour', 'By their own time'],
          'big_number_total',
          number('events_taken', [lately('minute', lastHour)]),
          3,
          24,
        ),
        chart(
          minutes,
          ['Events in the last day', 'By their own time'],
          'big_number_total',
          number('events_taken', [day]),
          3,
          24,
        ),
        chart(
          rejections,
          ['Rejected in the last day', 'What clients have lost: see the table below'],
          'big_number_total',
          number('events_rejected', [lately('timestamp', lastDay)]),
          3,
          24,
        ),
        chart(
          letters,
          ['Dead letters not looked at', 'ugc dead'],
          'big_number_total',
          number('left_to_look_at'),
          3,
          24,
        ),
      ],
      [
        chart(
          minutes,
          ['Events by type and minute', 'The last day'],
          'echarts_area',
          over('minute', ['events_taken'], {
            groupby: ['event_type'],
            time_grain_sqla: 'PT1M',
            stack: 'Stack',
            adhoc_filters: [day],
          }),
          8,
        ),
        chart(
          minutes,
          ['Events by type', 'The last day'],
          'pie',
          { groupby: ['event_type'], metric: 'events_taken', row_limit: 50, donut: true, adhoc_filters: [day] },
          4,
        ),
      ],
      [
        chart(
          users,
          ['Users and visitors by day', 'The last quarter'],
          'echarts_timeseries_bar',
          over('day', ['different_users', 'different_visitors'], {
            time_grain_sqla: 'P1D',
            adhoc_filters: [lately('day', lastDays(90))],
          }),
          6,
        ),
        chart(
          films,
          ['Films most seen', 'The last week'],
          'table',
          listOf(['film_id'], ['times_opened', 'watched_to_the_end'], { adhoc_filters: [lately('day', lastDays(7))] }),
          3,
        ),
        chart(
          quality,
          ['Quality changes', 'The last week'],
          'table',
          listOf(['from_quality', 'to_quality'], ['quality_changes'], { adhoc_filters: [lately('day', lastDays(7))] }),
          3,
        ),
      ],
      [
        chart(
          rejections,
          ['What was rejected, and why', 'The last day'],
          'table',
          listOf(['type', 'reason', 'path', 'source'], ['events_rejected'], {
            adhoc_filters: [lately('timestamp', lastDay)],
          }),
          12,
        ),
      ],
    ],
  };
}

/** Of days that are archived: a day comes with its first file. */
function ever(types: readonly EventType[]): Dashboard {
  const day = { name: 'day', type: 'DATE', about: 'Day the server took it, UTC' };
  const everything: Dataset = {
    name: 'every_event',
    database: 'Hive',
    about: 'Every archived event of the types that ugc ships: its type and day',
    sql: types
      .map(({ name }) => `SELECT '${name}' AS event_type, cast(dt AS date) AS \`day\` FROM ugc.${name}`)
      .join('\nUNION ALL\n'),
    time: 'day',
    columns: [{ name: 'event_type', type: 'STRING', about: 'Event type' }, day],
    metrics: { events: 'count(*)' },
  };
  const of = (name: string, metrics: Dataset['metrics']): Dataset => {
    const type = types.find(each => each.name === name);
    if (type === undefined) throw new Error(`there is no event type ${name}`);
    const columns = tableOf(type).columns.map(column => ({ name: column.name, type: 'STRING', about: column.about }));
    return {
      name: `${name}_ever`,
      database: 'Hive',
      about: `${type.summary}: all that is archived`,
      sql: `SELECT *, cast(dt AS date) AS \`day\` FROM ugc.${name}`,
      time: 'day',
      columns: [...columns, day],
      metrics,
    };
  };
  const watched = of('film_watched', { times_watched: 'count(*)', users: 'count(DISTINCT user_id)' });
  const orders = of('ordering', { orders: 'count(*)', customers: 'count(DISTINCT user_id)' });
  const noRange = [lately('day', 'No filter')];
  return {
    title: 'What happened ever',
    slug: 'ugc-ever',
    about: 'All that is archived, from the cold files by Hive. A query takes Hive seconds to minutes',
    refreshSeconds: 0,
    rows: [
      [
        chart(everything, ['Events archived', 'Of all types'], 'big_number_total', number('events', noRange), 3),
        chart(
          everything,
          ['Events by type and day', 'All that is archived'],
          'echarts_timeseries_bar',
          over('day', ['events'], {
            groupby: ['event_type'],
            time_grain_sqla: 'P1D',
            stack: 'Stack',
            adhoc_filters: noRange,
          }),
          9,
        ),
      ],
      [
        chart(
          watched,
          ['Films watched most, ever', 'To their end'],
          'table',
          listOf(['video_id'], ['times_watched', 'users'], { adhoc_filters: noRange }),
          6,
        ),
        chart(
          orders,
          ['Orders by day', 'All that is archived'],
          'echarts_timeseries_bar',
          over('day', ['orders', 'customers'], { time_grain_sqla: 'P1D', adhoc_filters: noRange }),
          6,
        ),
      ],
    ],
  };
}
