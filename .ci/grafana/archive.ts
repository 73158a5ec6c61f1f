// The cold files.

import type { Dashboard } from './panels.ts';
import { curves, number, rateOf } from './queries.ts';

export const archive: Dashboard = {
  title: 'ugc: archive',
  uid: 'ugc-archive',
  about: 'The cold files: whether they keep up with the log.',
  rows: {
    'Whether it is whole': [
      number('Whole', 'What ugc archive verify last found.', 'short', 'min(ugc_archive_verified_whole)', {
        words: { 0: ['damaged', 'red'], 1: ['whole', 'green'] },
        nothing: 'never verified',
      }),
      number(
        'Verified before',
        'Since ugc archive verify last looked at all of it.',
        's',
        'time() - max(ugc_archive_verified_timestamp_seconds)',
        { nothing: 'never verified' },
      ),
      number(
        'Until the log deletes what is not archived',
        'Of the topic that is first.',
        's',
        'min(ugc_archive_retention_left_seconds)',
        { nothing: 'kept, or not known' },
      ),
    ],
    Lag: [
      curves(
        'Events not yet archived',
        'By topic; what the log no longer keeps cannot be archived.',
        'short',
        { '{{topic}}': 'ugc:archive_lag_events:sum' },
        { isMany: true },
      ),
      curves(
        'Their age',
        'Of the oldest one that was read and is in no manifest.',
        's',
        { '{{topic}}': 'max by (topic) (ugc_archive_lag_seconds)' },
        { isMany: true },
      ),
    ],
    Written: [
      curves(
        'Events',
        'By type.',
        'eps',
        { '{{event_type}}': rateOf('ugc_archive_events_total', 'event_type') },
        { isStacked: true, isMany: true },
      ),
      curves('Bytes', 'By format.', 'Bps', { '{{format}}': rateOf('ugc_archive_bytes_total', 'format') }),
      curves('Files', 'By format, a minute.', 'cpm', {
        '{{format}}': `60 * ${rateOf('ugc_archive_files_total', 'format')}`,
      }),
    ],
    Gathered: [
      curves('Events', 'Read for a file and in no manifest yet.', 'short', {
        '{{instance}}': 'ugc_archive_gathered_events',
      }),
      curves('Memory', 'That they take.', 'bytes', { '{{instance}}': 'ugc_archive_gathered_bytes' }),
      curves('For so long', 'Since the first of them was read.', 's', {
        '{{instance}}': 'ugc_archive_gathered_seconds',
      }),
    ],
  },
};
