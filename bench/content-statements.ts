// What the peers of bench/content.bench.ts run: the statements of our own adapter, and by what each parameter is called.

import { changes, reads } from '../src/adapters/postgres/statements.ts';

export const contentStatements = {
  vote: { text: changes.vote, values: ['filmId', 'vote', 'userId', 'atMs', 'eventId'] },
  counts: { text: reads.counts, values: ['filmId'] },
} as const;

/** What our leader does beside its clients: the counts of changes become rows of films. */
export const foldStatement = changes.fold;
