// What the routes of content have in common: the store, the clock, the bounds; who asks, and what a change is of.

import { PipelineError } from '../errors.ts';
import type { BodyLimits } from '../http/body.ts';
import type { Call } from '../http/route.ts';
import type { Change, ContentStore } from '../ports/content.ts';
import type { Clock } from '../process/clock.ts';

export interface Content {
  readonly store: ContentStore;
  readonly clock: Pick<Clock, 'stamp' | 'problem'>;
  readonly limits: BodyLimits;
  /** Of the text of a review, in UTF-16 units. */
  readonly reviewLengthMax: number;
  /** New and edited reviews are shown before a moderator has seen them. */
  readonly isShownAtOnce: boolean;
  /** There may be an event to publish. */
  readonly wake: () => void;
}

/** Of whom the token is; throws `forbidden` when it is an API key, or nobody was asked. */
export function userOf({ caller }: Pick<Call, 'caller'>): string {
  if (caller.userId !== undefined) return caller.userId;
  throw new PipelineError(
    'forbidden',
    'this is done by a user, and an API key has none: send the user’s token, Authorization: Bearer <JWT> (UGC_AUTH=jwt)',
  );
}

/** Null: nobody in particular. */
export const maybeUserOf = ({ caller }: Pick<Call, 'caller'>): string | null => caller.userId ?? null;

export const isModerator = ({ caller }: Pick<Call, 'caller'>): boolean =>
  caller.userId !== undefined && caller.scopes?.has('content:moderate') === true;

/** A change by who asks, now. Throws `clock_wrong` while no time of it could be believed. */
export function changeBy(call: Pick<Call, 'caller'>, { clock }: Content, eventId = Bun.randomUUIDv7()): Change {
  const userId = userOf(call);
  const problem = clock.problem();
  if (problem?.isCertain === true) throw new PipelineError('clock_wrong', problem.words);
  return { userId, atMs: clock.stamp(), eventId };
}

const triesMax = 3;

/** Done again when the store cannot say whether it was done: the same change twice is one. */
export async function surely<T>(write: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++)
    try {
      return await write();
    } catch (error) {
      if (tries === triesMax || !(error instanceof PipelineError) || error.code !== 'store_unknown') throw error;
    }
}
