// Whether all is well, at one look.

import type { Dashboard } from './panels.ts';
import { bad, countOf, curves, number, states } from './queries.ts';

export const overview: Dashboard = {
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
      number(
        'Fresh',
        'Of the inserts of the last five minutes 19 in 20 held no event older than this.',
        's',
        'ugc:freshness_seconds:p95_5m >= 0',
        {
          nothing: 'no inserts',
        },
      ),
      number('Acknowledged', '99 events in 100 were durable within this.', 's', 'max(ugc:ack_seconds:p99_5m >= 0)', {
        nothing: 'no events',
      }),
    ],
    'What should be nothing': [
      bad(
        'Alerts',
        'Of ugc that fire now.',
        'short',
        'count(count by (alertname) (ALERTS{alertname=~"Ugc.*",alertstate="firing"})) or vector(0)',
      ),
      bad('Instances away', 'That do not answer Prometheus.', 'short', 'count(up{job="ugc"} == 0) or vector(0)'),
      bad(
        'Not taken',
        'Events, a second, whose senders were told to send them again: the disk is full, or no place is known to be safe.',
        'eps',
        'sum(ugc:events_received:rate1m{outcome="failed"}) or vector(0)',
      ),
      bad(
        'Breakers open',
        'Instances that write to their disk because the broker takes nothing.',
        'short',
        'sum(ugc_breaker_open)',
      ),
      bad('Tables halted', 'That wait for repair.', 'short', 'count(max by (table) (ugc_etl_halted) > 0) or vector(0)'),
      bad(
        'Flows paused',
        'Somebody has paused them, and what comes waits: ugc flows says who and why.',
        'short',
        'sum(max by (flow) (ugc_flow_paused))',
      ),
      bad('Set aside', 'Events that need somebody to requeue them.', 'short', 'sum(ugc_buffer_quarantined_events)'),
      bad(
        'Dead letters',
        'Records that can be no rows, in the time that is shown.',
        'short',
        `sum(${countOf('ugc_dead_letters_total', '$__range')}) or vector(0)`,
      ),
    ],
    'Which alerts': [
      states(
        'Firing',
        'Each has a page in the documents: its annotation says which.',
        { '{{alertname}}': 'max by (alertname) (ALERTS{alertname=~"Ugc.*",alertstate="firing"})' },
        { 1: ['fires', 'red'] },
        'none has fired',
      ),
    ],
    'In and out': [
      curves('Events in', 'By what became of them.', 'eps', {
        '{{outcome}}': 'sum by (outcome) (ugc:events_received:rate1m)',
      }),
      curves('Accepted, and their rows', 'Rows come later, and more at once after a halt; one for each event.', 'eps', {
        accepted: 'sum(ugc:events_received:rate1m{outcome="accepted"})',
        rows: 'sum(rate(ugc_etl_rows_total{table!="rejections"}[$__rate_interval]))',
      }),
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
