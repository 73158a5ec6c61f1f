// Values of columns spelt as stored bodies again: the other way of bodies.ts.

import type { Column } from '../ports/tables.ts';

/** How a value stands in a body. Texts come as texts, free JSON too; times as epoch milliseconds. */
export type Speller = (value: unknown) => string;

export function spellerOf({ type, isJson }: Column): Speller {
  const spell = isJson === true ? String : spellers(type);
  return value => (value === null || value === undefined ? 'null' : spell(value));
}

function spellers(type: string): (value: unknown) => string {
  if (type.includes('Array(')) return value => JSON.stringify(value);
  if (type.includes('DateTime64')) return value => `"${new Date(Number(value)).toISOString()}"`;
  if (/String|UUID/.test(type)) return value => JSON.stringify(value);
  return String;
}

/** What stands before the value of each column: its comma and its name. */
export const headsOf = (columns: readonly Column[]): readonly string[] =>
  columns.map(({ name }, at) => `${at === 0 ? '{' : ','}${JSON.stringify(name)}:`);
