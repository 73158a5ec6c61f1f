// Whether it reaches the tables.

import type { Dashboard } from './panels.ts';
import { countOf, curves, orNone, quantiles, rateOf, states } from './queries.ts';

export const tables: Dashboard = {
  title: 'ugc: log to tables',
  uid: 'ugc-tables',
  about: 'Whether what was acknowledged becomes rows, and how soon.',
  rows: {
    Lag: [
      curves(
        'Events not yet rows',
        'By topic; growing is what counts.',
        'short',
        { '{{topic}}': 'ugc:etl_lag_events:sum' },
        { isMany: true },
      ),
      curves(
        'Their age',
        'Of the oldest one that was read and is not inserted.',
        's',
        { '{{topic}}': 'max by (topic) (ugc_etl_lag_seconds)' },
        { isMany: true },
      ),
    ],
    Inserts: [
      curves(
        'Rows',
        'By table.',
        'rowsps',
        { '{{table}}': rateOf('ugc_etl_rows_total', 'table') },
        { isStacked: true, isMany: true },
      ),
      curves('Inserts', 'By what became of them: a code is a failure that is tried again.', 'ops', {
        '{{outcome}}': rateOf('ugc_etl_batches_total', 'outcome'),
      }),
    ],
    'How soon': [
      curves('Received → queryable', 'The oldest event of each insert.', 's', quantiles('ugc_freshness_seconds')),
      curves('Time of one insert', 'Until ClickHouse has said yes.', 's', quantiles('ugc_etl_insert_seconds')),
      curves(
        'Until the log deletes what is no row',
        'By topic; empty where the log keeps it.',
        's',
        { '{{topic}}': 'min by (topic) (ugc_etl_retention_left_seconds)' },
        { nothing: 'kept, or not known' },
      ),
    ],
    'What needs somebody': [
      states(
        'Halted',
        'Tables that wait for repair.',
        { '{{table}}': orNone('max by (table) (ugc_etl_halted)', 'table') },
        { 0: ['well', 'green'], 1: ['halted', 'red'] },
      ),
      states(
        'Waiting',
        'Topics that wait for a newer ugc.',
        { '{{topic}}': orNone('max by (topic) (ugc_etl_waiting)', 'topic') },
        { 0: ['read', 'green'], 1: ['waiting', 'red'] },
      ),
      states(
        'Paused',
        'Flows that an operator has paused, or that were drained.',
        { '{{flow}}': 'max by (flow) (ugc_flow_paused)' },
        { 0: ['running', 'green'], 1: ['paused', 'orange'] },
      ),
    ],
    'What is no row': [
      curves('Dead letters', 'By reason, those of the minute before.', 'short', {
        '{{reason}}': orNone(`sum by (reason) (${countOf('ugc_dead_letters_total', '$__rate_interval')})`, 'reason'),
      }),
      curves('Logs replaced', 'Topics that were deleted and made again, since the process began.', 'short', {
        '{{topic}}': orNone('sum by (topic) (ugc_etl_log_replaced_total)', 'topic'),
      }),
    ],
    Aggregates: [
      curves('Age', 'Since each was last computed.', 's', {
        '{{aggregate}}': 'max by (aggregate) (ugc_aggregate_age_seconds)',
      }),
      curves('Time to compute', 'What the last computation of each took.', 's', {
        '{{aggregate}}': 'max by (aggregate) (ugc_aggregate_refresh_seconds)',
      }),
      states(
        'Failing',
        'Whose last computation failed: what they show is as old as their age.',
        { '{{aggregate}}': 'max by (aggregate) (ugc_aggregate_failing)' },
        { 0: ['well', 'green'], 1: ['failing', 'red'] },
      ),
    ],
  },
};
