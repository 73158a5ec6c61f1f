// What is known of an event that was refused without repeating what its sender wrote in it, for who watches what passes.

import { isObject, unwrap } from '../catalogue/judge.ts';
import { readId } from '../catalogue/rejection.ts';
import type { Glimpse } from '../ports/passing.ts';
import type { Shapes } from './shape.ts';

export const glimpseOf =
  ({ exampleOf }: Pick<Shapes, 'exampleOf'>) =>
  (event: unknown, type: string | null): Glimpse => {
    const given = unwrap(event);
    const shape = exampleOf(event, type);
    if (!isObject(given)) return { id: null, user: null, shape };
    return { id: readId(given.event_id), user: userOf(given.user_id) ?? userOf(given.anonymous_id), shape };
  };

const userOf = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 200).toWellFormed() : null;
