// The content store, its way into the log and back.

import type { Dashboard } from './panels.ts';
import { curves, rateOf, states } from './queries.ts';

const contentRoutes = '/v1/(films|reviews|me)(/.*)?';

export const content: Dashboard = {
  title: 'ugc: content',
  uid: 'ugc-content',
  about: 'Likes, reviews, bookmarks and the viewing history: the store, and its way into the log and back.',
  rows: {
    'Store → log': [
      curves('Changes that wait', 'To become events.', 'short', { waiting: 'max(ugc_content_outbox_events)' }),
      curves('The oldest of them', 'It waits for so long.', 's', { waits: 'max(ugc_content_outbox_oldest_seconds)' }),
      curves(
        'Published',
        'By type.',
        'eps',
        { '{{event_type}}': rateOf('ugc_content_relayed_total', 'event_type') },
        { isStacked: true },
      ),
      states(
        'Who relays',
        'One at a time.',
        { '{{instance}}': 'ugc_content_relay_leader == 1' },
        { 1: ['relays', 'blue'] },
        'nobody',
      ),
    ],
    'Log → history': [
      curves('Records read', 'By what became of them.', 'eps', {
        '{{outcome}}': rateOf('ugc_content_history_records_total', 'outcome'),
      }),
      curves('Events not yet in it', 'By topic.', 'short', { '{{topic}}': 'ugc:content_history_lag_events:sum' }),
    ],
    Requests: [
      curves('Requests', 'By route.', 'reqps', {
        '{{route}}': rateOf(`ugc_http_request_seconds_count{route=~"${contentRoutes}"}`, 'route'),
      }),
      curves('Time to answer, p99', 'By route.', 's', {
        '{{route}}': `histogram_quantile(0.99, sum by (le, route) (rate(ugc_http_request_seconds_bucket{route=~"${contentRoutes}"}[$__rate_interval])))`,
      }),
    ],
  },
};
