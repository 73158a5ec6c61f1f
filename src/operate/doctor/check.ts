// What `ugc doctor` is made of. A group is a part of the installation, a probe asks it one question, and an answer is one
// or more checks: what was looked at, what was seen, and where that is not well what follows, what to do, and where it is
// written. A probe changes nothing: no topic, table, position or lock.

import type { Config } from '../../config/config.ts';
import type { Instance } from './instance.ts';

export type Result = 'success' | 'warning' | 'error';

export interface Check {
  /** `disk.room`: for machines, the same in every version. */
  readonly id: string;
  readonly result: Result;
  /** What was seen. */
  readonly seen: string;
  /** What follows from it. */
  readonly follows?: string;
  /** The next step, one line. */
  readonly hint?: string;
  /** Of the docs. */
  readonly page?: string;
}

export interface Probe {
  /** Of its check when it does not come to any: it has failed or was too slow. */
  readonly id: string;
  /** From that; absent = how it is cannot be told. */
  readonly follows?: string;
  /** What to do then. */
  readonly hint: string;
  readonly page?: string;
  look(signal: AbortSignal): Promise<readonly Check[]> | readonly Check[];
}

export interface Group {
  readonly name: string;
  readonly probes: readonly Probe[];
}

/** What groups are made for. */
export interface Asked {
  readonly config: Config;
  /** Only what has to hold before a start. */
  readonly isBeforeStart: boolean;
  /** The instance that runs with these settings; null = none answers. Asked once, for all groups. */
  readonly instance: Promise<Instance | null>;
}

/** Null: the installation has no such part. */
export type GroupOf = (asked: Asked) => Group | null;

/** Each names what follows and the next step: who is woken by it knows neither. */
type Trouble = Pick<Check, 'seen' | 'page'> & Required<Pick<Check, 'follows' | 'hint'>>;

export const good = (id: string, seen: string): Check => ({ id, result: 'success', seen });
export const doubtful = (id: string, trouble: Trouble): Check => ({ id, result: 'warning', ...trouble });
export const wrong = (id: string, trouble: Trouble): Check => ({ id, result: 'error', ...trouble });
