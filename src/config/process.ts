// Settings: what the process does, and how it lives and ends.

import { choice, choices, flag, integer, share, text } from './kinds.ts';

export const roles = ['ingest', 'etl', 'content', 'archive'] as const;
export type RoleName = (typeof roles)[number];

export const processSettings = {
  role: choices({
    of: ['all', ...roles],
    default: 'all',
    help: 'What this process does; all = every role whose needs are met',
  }),
  dataDir: text({
    default: './ugc-data',
    takes: 'a folder',
    pattern: /./,
    help: 'Where the disk buffer and the embedded ClickHouse live',
  }),
  auditLog: text({
    default: '',
    takes: 'a path',
    help: 'Where commands that change something write who did it and how it ended; audit.log in the data folder if not given',
  }),
  logLevel: choice({
    of: ['debug', 'info', 'warn', 'error'],
    default: 'info',
    help: 'The least severe log line written',
  }),
  requestLog: flag({ default: true, help: 'One log line for each HTTP request' }),
  requestLogShare: share({
    default: '1',
    help: 'Of the requests that have a line; those answered with 5xx, and slow ones, always have one',
  }),
  requestLogSlowMs: integer({
    default: 1_000,
    min: 0,
    max: 3_600_000,
    help: 'A request that took so long is slow',
  }),
  shutdownTimeoutMs: integer({
    default: 10_000,
    min: 100,
    max: 600_000,
    help: 'SIGTERM: everything is answered, flushed and closed within this',
  }),
};
