// What comes in, and what its senders are told.

import type { Dashboard } from './panels.ts';
import { curves, orNone, quantiles, rateOf } from './queries.ts';

/** Requests that bring no events: the content service, and what every process answers beside its work. */
const otherRoutes = '/v1/(films|reviews|me|console|stream|receipts)(/.*)?|/(metrics|healthz.*|openapi.json|apidocs.*)?';

export const ingest: Dashboard = {
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
        { isStacked: true, isMany: true },
      ),
      curves('Not accepted', 'Rejected for good, failed for now, dropped by a rule.', 'eps', {
        '{{outcome}}': orNone(rateOf('ugc_events_received_total{outcome!="accepted"}', 'outcome'), 'outcome'),
      }),
      curves('Rejected, by reason', 'The table rejections has examples.', 'eps', {
        '{{reason}}': orNone(rateOf('ugc_events_rejected_total', 'reason'), 'reason'),
      }),
    ],
    Answers: [
      curves('Requests', 'With events, by status.', 'reqps', {
        '{{status}}': rateOf(`ugc_http_request_seconds_count{route!~"${otherRoutes}"}`, 'status'),
      }),
      curves(
        'Time to answer',
        'Requests with events, from their last byte.',
        's',
        quantiles('ugc_http_request_seconds', { which: `{route!~"${otherRoutes}"}` }),
      ),
      curves('Time until durable', 'By where the event lies.', 's', quantiles('ugc_ack_seconds', { by: 'stored' })),
    ],
    'The door': [
      curves('Connections', 'Open. An alert tells of nine tenths of what there may be.', 'short', {
        '{{instance}}': 'ugc_http_connections',
      }),
      curves('Refused for their rate', 'By which limit.', 'reqps', {
        '{{limit}}': orNone(rateOf('ugc_rate_limited_total', 'limit'), 'limit'),
      }),
      curves('Tokens', 'By what was found of them.', 'reqps', {
        '{{outcome}}': orNone(rateOf('ugc_door_tokens_total', 'outcome'), 'outcome'),
      }),
      curves('Ruled out', 'Events that a rule has dropped or diverted.', 'eps', {
        '{{rule}}': orNone(rateOf('ugc_ruled_total', 'rule'), 'rule'),
      }),
    ],
    'The disk buffer': [
      curves('Events on the disk', 'Acknowledged, and not with the broker yet.', 'short', {
        '{{instance}}': 'ugc_buffer_events',
      }),
      curves('Bytes of it', 'In use.', 'bytes', { '{{instance}}': 'ugc_buffer_bytes' }),
      curves('Its oldest event', 'Waits for so long.', 's', { '{{instance}}': 'ugc_buffer_oldest_seconds' }),
      curves('Published from it', 'By what became of them.', 'eps', {
        '{{outcome}}': orNone(rateOf('ugc_buffer_drained_total', 'outcome'), 'outcome'),
      }),
    ],
  },
};
