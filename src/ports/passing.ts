// What passes through this process, for who watches it: events at the edge as they are judged and answered, and once a
// second how the process is. The edge asks one question a request, whether anybody watches; everything else is paid by
// the tap.

import type { Misfit } from '../../schemas/misfit.ts';
import type { FlowNow } from './flow-control.ts';
import type { Envelope, Outcome } from './log.ts';

/** An event that was judged: taken, or refused, or dropped by a rule. */
export type Judged =
  | { readonly ok: true; readonly envelope: Envelope }
  | {
      readonly ok: false;
      readonly reason: string;
      /** Null: none of the catalogue's. */
      readonly type: string | null;
      readonly errors: readonly Misfit[];
      /** Of what was good and is dropped all the same, by this rule. */
      readonly envelope?: Envelope;
      readonly rule?: string;
    };

/** Whence the events of a request came. */
export interface PassedFrom {
  /** The name of the key that sent them; '' = none. */
  readonly source: string;
  readonly receivedAtMs: number;
}

export interface Passing {
  /** The events of a request as they were sent, what was found of each, and what became of those that were good, in order. */
  note(events: readonly unknown[], judged: readonly Judged[], outcomes: readonly Outcome[], from: PassedFrom): void;
  /** Why no event could be read from a body: a PipelineError, or a bug of which the log tells. */
  noteBody(error: unknown, source: string): void;
}

/** Null while nobody watches. */
export interface Watched {
  readonly now: Passing | null;
}

export const nobodyWatches: Watched = { now: null };

/** What is known of an event that was refused without repeating what its sender wrote. */
export interface Glimpse {
  readonly id: string | null;
  /** user_id, else anonymous_id, as the event has it. */
  readonly user: string | null;
  /** JSON, see ingest/shape.ts; '' = not to be told. */
  readonly shape: string;
}

/** A flow that a process moves, or one event type of it: how many events a second, and what waits. */
export interface FlowFigures {
  readonly flow: string;
  readonly state: FlowNow['state'];
  readonly drained: boolean;
  readonly rate: number;
  readonly lag_events: number | null;
  readonly lag_seconds: number | null;
  /** '' = nobody ever said anything of it. */
  readonly since: string;
  readonly by: string;
  readonly why: string;
}

/** How a process is: `event: stats` of GET /v1/stream. Rates are per second, over `window_seconds`; null = not known, or no sample. */
export interface Stats {
  readonly at: string;
  readonly version: string;
  /** The machine, by the name it has for itself. */
  readonly host: string;
  readonly pid: number;
  readonly roles: readonly string[];
  readonly up_seconds: number;
  readonly ready: boolean;
  /** In words, by part. */
  readonly problems: Readonly<Record<string, string>>;
  readonly window_seconds: number;
  /** Events a second: accepted, rejected, failed and dropped at the edge, rows into ClickHouse. */
  readonly events: TypeRates;
  readonly types: Readonly<Record<string, TypeRates>>;
  readonly answers: Timed;
  readonly ack: Omit<Timed, 'rate'>;
  readonly lag: { readonly seconds: number | null; readonly events: number | null };
  readonly freshness_p99_ms: number | null;
  readonly buffer: {
    readonly events: number;
    readonly bytes: number;
    readonly oldest_seconds: number;
    readonly quarantined: number;
  };
  readonly breaker_open: boolean;
  readonly inserts: {
    readonly rate: number;
    readonly failed: number;
    readonly p99_ms: number | null;
    readonly halted: readonly string[];
  };
  readonly dead_letters: { readonly total: number; readonly rate: number };
  readonly archive: { readonly lag_seconds: number | null; readonly lag_events: number | null };
  /** Those that it moves. */
  readonly flows: readonly FlowFigures[];
  readonly stream: { readonly readers: number; readonly dropped: number };
}

export interface TypeRates {
  readonly in: number;
  readonly rejected: number;
  readonly failed: number;
  readonly dropped: number;
  readonly out: number;
}

export interface Timed {
  readonly rate: number;
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
}
