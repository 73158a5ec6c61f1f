// What the body of a request, whatever its form, was read to: events in its order, unjudged.

import type { EventType } from '../../schemas/event.ts';
import type { Misfit } from '../../schemas/misfit.ts';
import { PipelineError } from '../errors.ts';
import type { BodyLimits } from '../http/body.ts';

export interface Reading {
  /** One event, not in a list: answered alone. */
  readonly isSingle: boolean;
  /** Events in the body's order; what could not be read as one is a PipelineError in its place. */
  readonly events: readonly unknown[];
  /** sent_at beside the events. */
  readonly sentAt: unknown;
  /** The body is JSON without a backslash: no text in it holds what JSON escapes, nor half of a surrogate pair. */
  readonly isPlain?: boolean;
}

export interface ReadLimits extends BodyLimits {
  readonly bodyEventsMax: number;
}

/** What the forms that are no JSON of ours are made events with. */
export interface Meaning {
  /** A type that may be sent just now, by name or alias. */
  readonly typeOf: (name: string) => EventType | undefined;
  /** Epoch milliseconds: for what may leave out when it happened. */
  readonly now: () => number;
}

/** In the place of an event: what stands there cannot be one. It costs no other event of the body. */
export class Misread extends PipelineError {
  /** JSON pointer, as in what the judge finds. */
  readonly path: string;

  constructor({ path, message }: Misfit) {
    super('invalid', message);
    this.path = path;
  }
}

/** The same; throws `too_large` where they are too many. */
export function bounded<T>(events: readonly T[], { bodyEventsMax }: ReadLimits): readonly T[] {
  if (events.length <= bodyEventsMax) return events;
  throw new PipelineError('too_large', `the body holds more than ${bodyEventsMax} events (UGC_BODY_EVENTS_MAX)`);
}

/** The event, or the error that says why it is none. */
export function orMisread<T>(read: () => T): T | Misread {
  try {
    return read();
  } catch (error) {
    if (error instanceof Misread) return error;
    throw error;
  }
}
