// What the edge knows of the request an event came in, beside what the event says.

import type { RequestTrace } from '../ports/tracing.ts';
import type { Derived } from './derived.ts';

/** What the edge knows of the request an event came in. */
export interface Origin {
  readonly receivedAtMs: number;
  /** What the clock said then, where the stamp is another: by it the event's own times are judged. */
  readonly clockMs?: number;
  /** Names of types its sender may send; absent = all. */
  readonly eventTypes?: ReadonlySet<string> | undefined;
  /** Name of the API key, or of the program a token was given to. */
  readonly source: string;
  /** The user that its sender is known to be; absent = its events say whose they are. The judge takes their word. */
  readonly userId?: string | undefined;
  /** As it is stored. */
  readonly ip: string;
  readonly userAgent: string;
  /** The whole one, for rules; absent = `ip` is whole. */
  readonly address?: string;
  /** What else is known of the client; absent = its events are as it sends them. */
  readonly derived?: Derived;
  /** Why none of its events is stored, in the place of a rule’s id; absent = they are. The judge does not ask. */
  readonly unwanted?: string | undefined;
  /** event_type of the path, name or alias; null when the path has none. */
  readonly pathType: string | null;
  /** sent_at of the wrapper around the events; undefined when there is none. */
  readonly sentAt: unknown;
  /** An edge has taken this event before: its timestamp is by the server's clock, and within the bounds there were. */
  readonly wasJudged?: boolean;
  /** No text of the events holds what JSON escapes, nor half of a surrogate pair: none has to be looked through. */
  readonly isPlain?: boolean;
  /** Of the request, if it is traced. The judge does not ask. */
  readonly trace?: RequestTrace | null | undefined;
}
