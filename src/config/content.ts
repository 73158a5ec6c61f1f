// Settings: likes, reviews, bookmarks and history: where they are kept, and by what rules.

import { choice, integer, share, text, type Values } from './kinds.ts';

export const contentSettings = {
  databaseUrl: text({
    default: '',
    takes: 'postgres://user:password@host/database?sslmode=…',
    pattern: /^(postgres(ql)?:\/\/[^\s]+)?$/,
    secret: true, // may carry a password
    help: 'Role content: a PostgreSQL server; empty = a file in the data folder (SQLite). sslmode as libpq has it: prefer where it says nothing, verify-full beyond a network that can be trusted',
  }),
  databaseCa: text({
    default: '',
    takes: 'a PEM file',
    help: 'Authorities to trust of that server with sslmode=verify-ca or verify-full; empty = those of the system',
  }),
  databaseConnectionsMax: integer({
    default: 10,
    min: 2,
    max: 1_000,
    help: 'Connections to that server, of each process',
  }),
  reviewsShown: choice({
    of: ['at_once', 'approved'],
    default: 'at_once',
    help: 'New and edited reviews are shown at once, or once a moderator has approved them',
  }),
  reviewLengthMax: integer({ default: 10_000, min: 1, max: 10_000, help: 'Characters of a review, in UTF-16 units' }),
  viewSeenSeconds: integer({
    default: 120,
    min: 0,
    max: 86_400,
    help: 'A film counts as seen, and can be gone on with, from so many seconds on, or from UGC_VIEW_SEEN_SHARE on',
  }),
  viewSeenShare: share({ default: '0.05', help: 'The same as a part of its length, whichever comes first' }),
  viewWatchedShare: share({
    default: '0.9',
    help: 'A film counts as watched from this part of its length on, and is nothing to go on with',
  }),
  contentHistory: choice({
    of: ['auto', 'on', 'off'],
    default: 'auto',
    help: 'The history also follows what players send as events; auto = in a process with the role content. Processes that share a data folder and run apart must say on, all of them',
  }),
};

type ContentConfig = Values<typeof contentSettings> & {
  readonly role: readonly string[];
  readonly auth: readonly string[];
};

/** Of this process: `all` means it where tokens say of whom a like is. */
export const hasContent = ({ role, auth }: Pick<ContentConfig, 'role' | 'auth'>): boolean =>
  role.includes('content') || (role.includes('all') && auth.includes('jwt'));

/** What players send is followed by the viewing history. */
export const keepsHistory = (config: Pick<ContentConfig, 'role' | 'auth' | 'contentHistory'>): boolean =>
  config.contentHistory === 'on' || (config.contentHistory === 'auto' && hasContent(config));

/** What the settings of content say against each other and against others, in words. */
export function contentProblems(config: ContentConfig): string[] {
  const problems: string[] = [];
  if (config.role.includes('content') && !config.auth.includes('jwt'))
    problems.push(
      'UGC_ROLE=content needs UGC_AUTH=jwt (or keys,jwt): likes and reviews are of users, and a token says of which one (UGC_JWT_ISSUER, UGC_JWT_JWKS_URL, UGC_JWT_PUBLIC_KEY or UGC_JWT_SECRET)',
    );
  if (config.databaseCa !== '' && config.databaseUrl === '')
    problems.push('UGC_DATABASE_CA needs UGC_DATABASE_URL: the file in the data folder needs no authority');
  if (config.viewSeenShare >= config.viewWatchedShare)
    problems.push('UGC_VIEW_SEEN_SHARE must be smaller than UGC_VIEW_WATCHED_SHARE: nothing could be gone on with');
  return problems;
}
