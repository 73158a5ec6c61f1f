// What an operator looks at, by the question: is all well, what comes in, does it reach the tables, and the two flows beside.
// What has happened never is drawn as 0 (`or vector(0)`), since an empty panel looks like a broken one.

import type { Dashboard, Panel } from './panels.ts';

const number = (title: string, about: string, unit: Panel['unit'], expression: string): Panel => ({
  title,
  about,
  kind: 'number',
  unit,
  series: { [title]: expression },
});

const curves = (
  title: string,
  about: string,
  unit: Panel['unit'],
  series: Panel['series'],
  isStacked = false,
): Panel => ({
  title,
  about,
  unit,
  series,
  isStacked,
});

const quantiles = (metric: string, by = ''): Panel['series'] =>
  Object.fromEntries(
    [0.5, 0.95, 0.99].map(q => [
      `p${q * 100}${by === '' ? '' : ` {{${by}}}`}`,
      `histogram_quantile(${q}, sum by (le${by === '' ? '' : `, ${by}`}) (rate(${metric}_bucket[$__rate_interval])))`,
    ]),
  );

const rateOf = (metric: string, by: string): string => `sum by (${by}) (rate(${metric}[$__rate_interval]))`;

const overview: Dashboard = {
  title: 'ugc: overview',
  uid: 'ugc-overview',
  about: 'Whether all is well: what is not 0 in the first two rows, or grows, has a page in the documents.',
  rows: {
    Now: [
      number('Instances', 'That answer Prometheus.', 'short', 'sum(up{job="ugc"})'),
      number(
        'Accepted',
        'Events acknowledged, a second.',
        'eps',
        'sum(ugc:events_received:rate1m{outcome="accepted"}) or vector(0)',
      ),
      number('Fresh', 'Nineteen events in twenty can be queried within.', 's', 'ugc:freshness_seconds:p95_5m'),
      number('Acknowledged', 'Ninety-nine events in a hundred are durable within.', 's', 'max(ugc:ack_seconds:p99_5m)'),
    ],
    'What should be nothing': [
      number(
        'Breakers open',
        'Instances that write to their disk because the broker takes nothing.',
        'short',
        'sum(ugc_breaker_open)',
      ),
      number('Tables halted', 'That wait for repair.', 'short', 'sum(ugc_etl_halted) or vector(0)'),
      number(
        'Flows paused',
        'Somebody has paused them, and what comes waits: ugc flows says who and why.',
        'short',
        'sum(max by (flow) (ugc_flow_paused))',
      ),
      number('Set aside', 'Events that need somebody to requeue them.', 'short', 'sum(ugc_buffer_quarantined_events)'),
      number(
        'Dead letters',
        'Records that can be no rows, in the time that is shown.',
        'short',
        'sum(increase(ugc_dead_letters_total[$__range])) or vector(0)',
      ),
    ],
    'In and out': [
      curves('Events in', 'By what became of them.', 'eps', {
        '{{outcome}}': 'sum by (outcome) (ugc:events_received:rate1m)',
      }),
      curves('Rows out', 'Inserted, by table.', 'eps', { '{{table}}': rateOf('ugc_etl_rows_total', 'table') }, true),
      curves('On the way', 'Events on disks, in the log and not yet rows, and not yet archived.', 'short', {
        'on disks': 'sum(ugc_buffer_events)',
        'not yet rows': 'sum(ugc:etl_lag_events:sum)',
        'not yet archived': 'sum(ugc:archive_lag_events:sum) or vector(0)',
      }),
    ],
    Processes: [
      curves('Processor', 'Of one core.', 'percentunit', {
        '{{instance}}': 'rate(process_cpu_seconds_total{job="ugc"}[$__rate_interval])',
      }),
      curves('Memory', 'Resident.', 'bytes', { '{{instance}}': 'process_resident_memory_bytes{job="ugc"}' }),
      curves('Open files', 'Connections, and files of the disk buffer.', 'short', {
        '{{instance}}': 'process_open_fds{job="ugc"}',
      }),
    ],
  },
};

const ingest: Dashboard = {
  title: 'ugc: events in',
  uid: 'ugc-ingest',
  about: 'What clients send, what they are answered and how fast.',
  rows: {
    Events: [
      curves(
        'Accepted, by type',
        'Acknowledged.',
        'eps',
        {
          '{{event_type}}':
            'sum by (event_type) (rate(ugc_events_received_total{outcome="accepted"}[$__rate_interval]))',
        },
        true,
      ),
      curves('Not accepted', 'Rejected for good, failed for now, dropped by a rule.', 'eps', {
        '{{outcome}}':
          'sum by (outcome) (rate(ugc_events_received_total{outcome!="accepted"}[$__rate_interval])) or vector(0)',
      }),
      curves('Rejected, by reason', 'The table rejections has examples.', 'eps', {
        '{{reason}}': `${rateOf('ugc_events_rejected_total', 'reason')} or vector(0)`,
      }),
    ],
    Answers: [
      curves('Requests', 'By status.', 'reqps', { '{{status}}': rateOf('ugc_http_request_seconds_count', 'status') }),
      curves('Time to answer', 'From the request’s last byte.', 's', quantiles('ugc_http_request_seconds')),
      curves('Time until durable', 'By where the event lies.', 's', quantiles('ugc_ack_seconds', 'stored')),
    ],
    'The door': [
      curves('Connections', 'Open, and as many as there may be.', 'short', {
        '{{instance}}': 'ugc_http_connections',
        'most of {{instance}}': 'ugc_http_connections_max',
      }),
      curves('Refused for their rate', 'By which limit.', 'reqps', {
        '{{limit}}': `${rateOf('ugc_rate_limited_total', 'limit')} or vector(0)`,
      }),
      curves('Tokens', 'By what was found of them.', 'reqps', {
        '{{outcome}}': `${rateOf('ugc_door_tokens_total', 'outcome')} or vector(0)`,
      }),
      curves('Ruled out', 'Events that a rule has dropped or diverted.', 'eps', {
        '{{rule}}': `${rateOf('ugc_ruled_total', 'rule')} or vector(0)`,
      }),
    ],
    'The disk buffer': [
      curves('Events on the disk', 'Acknowledged, and not with the broker yet.', 'short', {
        '{{instance}}': 'ugc_buffer_events',
      }),
      curves('Bytes of it', 'In use.', 'bytes', { '{{instance}}': 'ugc_buffer_bytes' }),
      curves('Its oldest event', 'Waits for so long.', 's', { '{{instance}}': 'ugc_buffer_oldest_seconds' }),
      curves('Published from it', 'By what became of them.', 'eps', {
        '{{outcome}}': `${rateOf('ugc_buffer_drained_total', 'outcome')} or vector(0)`,
      }),
    ],
  },
};

const tables: Dashboard = {
  title: 'ugc: log to tables',
  uid: 'ugc-tables',
  about: 'Whether what was acknowledged becomes rows, and how soon.',
  rows: {
    Lag: [
      curves('Events not yet rows', 'By topic; growing is what counts.', 'short', {
        '{{topic}}': 'ugc:etl_lag_events:sum',
      }),
      curves('Their age', 'Of the oldest one that was read and is not inserted.', 's', {
        '{{topic}}': 'max by (topic) (ugc_etl_lag_seconds)',
      }),
      curves('Received → queryable', 'The oldest event of each insert.', 's', quantiles('ugc_freshness_seconds')),
    ],
    Inserts: [
      curves('Rows', 'By table.', 'eps', { '{{table}}': rateOf('ugc_etl_rows_total', 'table') }, true),
      curves('Inserts', 'By what became of them: a code is a failure that is tried again.', 'cps', {
        '{{outcome}}': rateOf('ugc_etl_batches_total', 'outcome'),
      }),
      curves('Time of one insert', '', 's', quantiles('ugc_etl_insert_seconds')),
    ],
    'What needs somebody': [
      curves('Halted', 'Tables that wait for repair.', 'short', {
        '{{table}}': 'max by (table) (ugc_etl_halted) or vector(0)',
      }),
      curves('Waiting', 'Topics that wait for a newer ugc.', 'short', {
        '{{topic}}': 'max by (topic) (ugc_etl_waiting) or vector(0)',
      }),
      curves('Dead letters', 'By reason.', 'eps', {
        '{{reason}}': `${rateOf('ugc_dead_letters_total', 'reason')} or vector(0)`,
      }),
      curves('Paused', 'Flows that an operator has paused, or that were drained.', 'bool_yes_no', {
        '{{flow}}': 'max by (flow) (ugc_flow_paused)',
      }),
      curves('Logs replaced', 'Topics that were deleted and made again.', 'short', {
        '{{topic}}': 'sum by (topic) (ugc_etl_log_replaced_total) or vector(0)',
      }),
    ],
    Aggregates: [
      curves('Age', 'Since each was last computed.', 's', {
        '{{aggregate}}': 'max by (aggregate) (ugc_aggregate_age_seconds)',
      }),
      curves('Time to compute', '', 's', { '{{aggregate}}': 'max by (aggregate) (ugc_aggregate_refresh_seconds)' }),
      curves('Failing', '', 'bool_yes_no', { '{{aggregate}}': 'max by (aggregate) (ugc_aggregate_failing)' }),
    ],
  },
};

const content: Dashboard = {
  title: 'ugc: content',
  uid: 'ugc-content',
  about: 'Likes, reviews, bookmarks and the viewing history: the store, and its way into the log and back.',
  rows: {
    'Store → log': [
      curves('Changes that wait', 'To become events.', 'short', { waiting: 'max(ugc_content_outbox_events)' }),
      curves('The oldest of them', '', 's', { waits: 'max(ugc_content_outbox_oldest_seconds)' }),
      curves(
        'Published',
        'By type.',
        'eps',
        { '{{event_type}}': rateOf('ugc_content_relayed_total', 'event_type') },
        true,
      ),
      curves('Who relays', 'One at a time.', 'bool_yes_no', { '{{instance}}': 'ugc_content_relay_leader' }),
    ],
    'Log → history': [
      curves('Records read', 'By what became of them.', 'eps', {
        '{{outcome}}': rateOf('ugc_content_history_records_total', 'outcome'),
      }),
      curves('Events not yet in it', 'By topic.', 'short', { '{{topic}}': 'ugc:content_history_lag_events:sum' }),
    ],
    Requests: [
      curves('Requests', 'By route.', 'reqps', {
        '{{route}}': 'sum by (route) (rate(ugc_http_request_seconds_count{route!~"/v1/events.*"}[$__rate_interval]))',
      }),
      curves('Time to answer, p99', 'By route.', 's', {
        '{{route}}':
          'histogram_quantile(0.99, sum by (le, route) (rate(ugc_http_request_seconds_bucket{route!~"/v1/events.*"}[$__rate_interval])))',
      }),
    ],
  },
};

const archive: Dashboard = {
  title: 'ugc: archive',
  uid: 'ugc-archive',
  about: 'The cold files: whether they keep up with the log.',
  rows: {
    Lag: [
      curves('Events not yet archived', 'By topic; what the log no longer keeps cannot be archived.', 'short', {
        '{{topic}}': 'ugc:archive_lag_events:sum',
      }),
      curves('Their age', 'Of the oldest one that was read and is in no manifest.', 's', {
        '{{topic}}': 'max by (topic) (ugc_archive_lag_seconds)',
      }),
    ],
    Written: [
      curves('Events', 'By type.', 'eps', { '{{event_type}}': rateOf('ugc_archive_events_total', 'event_type') }, true),
      curves('Bytes', 'By format.', 'Bps', { '{{format}}': rateOf('ugc_archive_bytes_total', 'format') }),
      curves('Files', 'By format.', 'cps', { '{{format}}': rateOf('ugc_archive_files_total', 'format') }),
    ],
    Gathered: [
      curves('Events', 'Read for a file and in no manifest yet.', 'short', {
        '{{instance}}': 'ugc_archive_gathered_events',
      }),
      curves('Memory', '', 'bytes', { '{{instance}}': 'ugc_archive_gathered_bytes' }),
      curves('For so long', 'Since the first of them was read.', 's', {
        '{{instance}}': 'ugc_archive_gathered_seconds',
      }),
    ],
  },
};

export const grafanaDashboards: readonly Dashboard[] = [overview, ingest, tables, content, archive];
