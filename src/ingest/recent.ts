// What this instance has lately told its clients of single events: the last so many taken, and the last so many
// refused. Memory only and bounded: a receipt may know less than there was, never something else.

import { isObject, unwrap } from '../catalogue/judge.ts';
import { readId } from '../catalogue/rejection.ts';
import type { Outcome, Stored } from '../ports/log.ts';
import type { Ruled } from './ruled.ts';

export interface RecentEvent {
  /** Null: not one of the catalogue's. */
  readonly type: string | null;
  /** Where it was stored, or why it was not. */
  readonly outcome: Stored | { readonly reason: string };
  readonly atMs: number;
}

export interface Recent {
  /** The events of a request, what was found of each, and what became of those that were good, in order. */
  note(events: readonly unknown[], verdicts: readonly Ruled[], outcomes: readonly Outcome[], atMs: number): void;
  /** Newest first. */
  find(id: string): readonly RecentEvent[];
}

export interface RecentOptions {
  readonly takenMax?: number;
  readonly refusedMax?: number;
}

/** About 30 bytes each beside the id. */
export function recentOf({ takenMax = 65_536, refusedMax = 8_192 }: RecentOptions = {}): Recent {
  const taken = ringOf(takenMax);
  const refused = ringOf(refusedMax);

  /** What has no id of its own cannot be asked for. */
  function refuse(event: unknown, verdict: Ruled & { readonly ok: false }, atMs: number): void {
    const given = unwrap(event);
    const id = isObject(given) ? readId(given.event_id) : null;
    if (id !== null) refused.add(id, { type: verdict.type, outcome: { reason: verdict.reason }, atMs });
  }

  return {
    note(events, verdicts, outcomes, atMs) {
      let next = 0;
      let shared = null as RecentEvent | null; // most events of a request are alike
      for (const [at, verdict] of verdicts.entries()) {
        if (!verdict.ok) {
          refuse(events[at], verdict, atMs);
          continue;
        }
        const { id, type } = verdict.envelope;
        const outcome = outcomes[next++];
        if (outcome?.ok) {
          if (shared?.type !== type || shared.outcome !== outcome.stored)
            shared = { type, outcome: outcome.stored, atMs };
          taken.add(id, shared);
        } else refused.add(id, { type, outcome: { reason: outcome?.error.code ?? 'internal' }, atMs });
      }
    },
    find: id => [...taken.find(id), ...refused.find(id)].toSorted((a, b) => b.atMs - a.atMs),
  };
}

/** Found by looking at all of them: adding is what has to be cheap. */
function ringOf(max: number) {
  const ids: string[] = [];
  const events: RecentEvent[] = [];
  let next = 0;
  return {
    add(id: string, event: RecentEvent): void {
      ids[next] = id;
      events[next] = event;
      next = (next + 1) % max;
    },
    find: (id: string): RecentEvent[] => events.filter((_, at) => ids[at] === id),
  };
}
