// Rules of the operator on events that were judged good: the first that fits an event says what becomes of it.
//
//   drop     it is not stored
//   sample   it is not stored unless its user is of the share that is kept; the same users always, whatever the rule
//   divert   it goes to another topic, which no etl reads

import { parseNetworks } from '../../process/address.ts';
import type { StoredRule } from './rules-file.ts';

/** What a rule looks at. */
export interface Subject {
  readonly type: string;
  /** Of the API key; '' without one. */
  readonly source: string;
  readonly address: string;
  /** Who did it, by user_id or anonymous_id; null when the event does not say. */
  readonly user: string | null;
  readonly id: string;
}

export interface Ruling {
  /** Of the rule. */
  readonly id: string;
  /** Null = dropped. */
  readonly topic: string | null;
}

export type Rules = (subject: Subject) => Ruling | null;

/** Null: there are none, so nobody has to ask. */
export function rulesOf(stored: readonly StoredRule[], now: () => number = Date.now): Rules | null {
  if (stored.length === 0) return null;
  const prepared = stored.map(rule => ({ ...prepare(rule), untilMs: endOf(rule) }));
  return subject => {
    for (const { takes, ruling, untilMs } of prepared) if (takes(subject) && now() < untilMs) return ruling;
    return null;
  };
}

const endOf = ({ until }: StoredRule): number => (until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until));

function prepare(rule: StoredRule) {
  const { id, action, key, event_type: type, user, address, share = 0, topic = null } = rule;
  const network = address === undefined ? null : parseNetworks([address]);
  const ruling: Ruling = { id, topic };
  return {
    ruling,
    /** A sample leaves those it keeps to the rules after it. */
    takes: (subject: Subject): boolean =>
      (type === undefined || subject.type === type) &&
      (key === undefined || subject.source === key) &&
      (user === undefined || subject.user === user) &&
      (network === null || network.has(subject.address)) &&
      (action !== 'sample' || shareOf(subject.user ?? subject.id) >= share),
  };
}

/** 0 to 1, evenly, and for one text always the same, here and anywhere: the first 32 bits of its SHA-256. */
export const shareOf = (text: string): number =>
  Number.parseInt(new Bun.CryptoHasher('sha256').update(text).digest('hex').slice(0, 8), 16) / 2 ** 32;
