// What a page or a program has of the SDK: a tracker, and what may track by itself. Types only.

import type { Events } from './events.ts';

export type EventType = keyof Events;
export type FieldsOf<T extends EventType> = Events[T];

export interface Tracker {
  /** Returns the event's `event_id`; the event is kept before it returns. '' = not taken: opted out, or no JSON. Never throws. */
  track<T extends EventType>(type: T, fields: FieldsOf<T>): string;
  /** `page_view` of the page that is open; also what automatic page views call. */
  page(fields?: Partial<FieldsOf<'page_view'>>): string;
  /** The events from now on are of this user; tells `user_identified` when the user is another, or traits are given. */
  identify(userId: string, traits?: Readonly<Record<string, unknown>>): void;
  /** Forgets user, visitor and session, for a log-out. What was tracked is sent all the same. */
  reset(): void;
  /** Sends what is kept. Resolves when all of it is answered, or a try has failed and it will be tried again; never rejects. */
  flush(): Promise<void>;
  /** Tracks nothing more, and forgets what was not sent and who it was. Remembered, where the store is. */
  optOut(): void;
  /** Tracks from now on, whatever `consent`, DNT and GPC say. Remembered, where the store is. */
  optIn(): void;
  /** A UUIDv7; another one after half an hour without an event. Empty where nothing is tracked, and in programs, which serve many. */
  readonly sessionId: string;
  /** Called when the page is left or hidden, before what is kept is sent: the last moment to track. Returns its undoing. */
  onLeave(listener: () => void): () => void;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
}

/** Something that tracks by itself: begins, and returns its end. */
export type Automatic = (tracker: Tracker) => () => void;

/** Fields said with every event that does not say them itself. */
export interface Common {
  readonly country?: string | undefined;
  readonly device?: string | undefined;
}

export interface Options {
  /** Where ugc is: `https://events.example.com`. */
  readonly url: string;
  /** An API key; in a page a public one, `ugc_pk_…`. */
  readonly key?: string | undefined;
  readonly automatic?: readonly Automatic[] | undefined;
  readonly common?: Common | undefined;
  /** `local`: what was not sent waits in localStorage, the session in sessionStorage. `memory`: nothing is written. Default `local`. */
  readonly store?: 'local' | 'memory' | undefined;
  /** Keeps visitor and user in localStorage, so that the next visit is of the same visitor. Default: an id per session. */
  readonly remember?: boolean | undefined;
  /** False: nothing is tracked before `optIn()`. Default true. */
  readonly consent?: boolean | undefined;
  /** Nothing is tracked where the browser says Do Not Track or Global Privacy Control. Default true. */
  readonly respectDnt?: boolean | undefined;
  /** A batch is sent when it holds so many events, default 50, */
  readonly batchEvents?: number | undefined;
  /** or so many milliseconds after its first, default 1 000. */
  readonly batchMs?: number | undefined;
  /** Events that wait at most, default 1 000; beyond them the oldest is dropped. */
  readonly queueEvents?: number | undefined;
  /** An event that will never be sent, and why: the server's reason, `queue_full`, `too_large`, `not_json`. Default: a warning in the console. */
  readonly onDropped?: ((event: unknown, why: string) => void) | undefined;
}
