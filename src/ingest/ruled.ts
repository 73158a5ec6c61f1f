// What the operator's rules, and who it comes from, make of an event that was judged good: it is dropped, or goes to a topic
// of its own.

import type { EdgeVerdict } from '../catalogue/judge.ts';
import type { Origin } from '../catalogue/origin.ts';
import type { Rejection } from '../catalogue/rejection.ts';
import type { Rules } from '../door/rules/rules.ts';
import type { Envelope } from '../ports/log.ts';

/** An event that is answered with success and stored nowhere. */
export interface Dropped extends Rejection<'dropped'> {
  readonly envelope: Envelope;
  /** Its id, or why events of its client are not wanted. */
  readonly rule: string;
}

export type Ruled = EdgeVerdict | Dropped;

/**
 * What a diverted event is called in the log: no type is called so, so that it keeps its topic wherever the types of its
 * name go, also when it comes by way of the disk.
 */
export const divertedType = '(diverted)';

export const isDropped = (verdict: Ruled): verdict is Dropped => !verdict.ok && verdict.reason === 'dropped';

export interface Ruling {
  readonly rules: Rules;
  readonly onRuled: (rule: string) => void;
}

/** Of a client whose events are not wanted, why ever: none is stored that would be. */
export function unwanted(verdict: EdgeVerdict, rule: string, onRuled: Ruling['onRuled']): Ruled {
  if (!verdict.ok) return verdict;
  onRuled(rule);
  return droppedBy(rule, verdict.envelope);
}

/** The same verdict where no rule says otherwise. */
export function ruled(verdict: EdgeVerdict, { source, ip, address = ip }: Origin, { rules, onRuled }: Ruling): Ruled {
  if (!verdict.ok) return verdict;
  const { envelope } = verdict;
  const { id, type, key: user } = envelope;
  const found = rules({ id, type, user, source, address });
  if (found === null) return verdict;
  onRuled(found.id);
  if (found.topic !== null) return { ...verdict, envelope: { ...envelope, type: divertedType, topic: found.topic } };
  return droppedBy(found.id, envelope);
}

const droppedBy = (rule: string, envelope: Envelope): Dropped => ({
  ok: false,
  reason: 'dropped',
  type: envelope.type,
  errors: [],
  envelope,
  rule,
});
