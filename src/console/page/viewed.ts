// What a view is told.

import type { Overview } from '../answers.ts';

export interface Viewed {
  readonly overview: Overview;
  /** What follows the view in the address, e.g. an event type. */
  readonly rest: string;
}
