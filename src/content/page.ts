// Lists, page by page: a page says where the next one begins, in a cursor that carries the order and the last one told. A
// cursor is for this server alone; one that was changed on its way, or belongs to another list, is refused.

import { PipelineError } from '../errors.ts';
import { crc32c } from '../record/crc32c.ts';

export const limitMax = 100;
export const limitDefault = 20;

/** `?limit=`; throws `bad_request`. */
export function limitOf(text: string | undefined): number {
  if (text === undefined) return limitDefault;
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= limitMax) return limit;
  throw new PipelineError('bad_request', `limit must be a whole number from 1 to ${limitMax}`);
}

/** The last one told: what it was ordered by, and its id. */
export interface LastTold {
  readonly value: number;
  readonly id: string;
}

/** `list`: whose last one it is: the route, its order, and what else the list is chosen by. */
export function cursorOf(list: string, { value, id }: LastTold): string {
  const text = JSON.stringify([sumOf(list), value, id]);
  return Buffer.from(`${sumOf(text)}${text}`).toString('base64url');
}

/** Throws `bad_request`. Null: the first page. */
export function readCursor(list: string, cursor: string | undefined, isId: (id: string) => boolean): LastTold | null {
  if (cursor === undefined) return null;
  const bytes = Buffer.from(cursor.slice(0, cursorLengthMax), 'base64url');
  const found = bytes.toString('base64url') === cursor ? parsed(bytes.toString()) : null;
  if (found === null || !isId(found[2]))
    throw new PipelineError('bad_request', 'cursor must be the "next" of a page, as it was told: begin without one');
  const [of, value, id] = found;
  if (of !== sumOf(list))
    throw new PipelineError('bad_request', 'cursor is of another list, or of another order of it: begin without one');
  return { value, id };
}

/** An id of 256 characters, each of them six in JSON, in base64. */
const cursorLengthMax = 3_000;
const sumLength = 8;

const encoder = new TextEncoder();
const sumOf = (text: string): string => crc32c(encoder.encode(text)).toString(16).padStart(sumLength, '0');

function parsed(text: string): readonly [of: string, value: number, id: string] | null {
  const told = text.slice(sumLength);
  if (text.slice(0, sumLength) !== sumOf(told)) return null;
  try {
    const [of, value, id] = JSON.parse(told) as readonly unknown[];
    const isWhole = typeof of === 'string' && Number.isSafeInteger(value) && typeof id === 'string';
    return isWhole ? [of, value as number, id] : null;
  } catch {
    return null;
  }
}

export interface Page<T> {
  readonly items: readonly T[];
  /** The cursor of the next one; null = that was all. */
  readonly next: string | null;
}

/** `found`: one more than the page holds, where there is one more. */
export function pageOf<T>(list: string, found: readonly T[], limit: number, keyOf: (one: T) => LastTold): Page<T> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, next: found.length > limit && last !== undefined ? cursorOf(list, keyOf(last)) : null };
}
