// How findings are told: a line for what is well, and for what is not the next step and its page under it; or as JSON.

import { plain } from '../output.ts';
import type { Check, Result } from './check.ts';
import type { Category } from './examine.ts';

export interface Report {
  readonly success: boolean;
  readonly tookMs: number;
  readonly categories: readonly Category[];
}

export const reportOf = (categories: readonly Category[], tookMs: number): Report => ({
  success: categories.every(({ checks }) => checks.every(({ result }) => result !== 'error')),
  tookMs: Math.round(tookMs),
  categories,
});

const signs: Readonly<Record<Result, string>> = { success: '✓', warning: '!', error: '✗' };
const colourOf: Readonly<Record<Result, number>> = { success: 32, warning: 33, error: 31 };

export function textOf({ categories, tookMs }: Report, hasColours: boolean): string {
  const sign = (result: Result): string =>
    hasColours ? `\u001b[${colourOf[result]}m${signs[result]}\u001b[39m` : signs[result];
  const groups = categories
    .filter(({ checks }) => checks.length > 0)
    .map(({ name, checks }) => `${name}\n${checks.map(check => linesOf(check, sign(check.result))).join('')}`);
  const all = categories.flatMap(({ checks }) => checks);
  const count = (result: Result): number => all.filter(check => check.result === result).length;
  const sum = `${count('success')} well, ${count('warning')} doubtful, ${count('error')} wrong; looked for ${(tookMs / 1_000).toFixed(1)} s`;
  return `${groups.join('\n')}\n${sum}\n`;
}

function linesOf({ id, seen, follows, hint, page }: Check, sign: string): string {
  const [first = '', ...more] = seen.split('\n').map(plain);
  const rest = [
    ...more,
    ...(follows === undefined ? [] : [`so: ${plain(follows)}`]),
    ...(hint === undefined ? [] : [`do: ${plain(hint)}`]),
    ...(page === undefined ? [] : [`see: ${page}`]),
  ];
  return `  ${sign} ${id}  ${first}\n${rest.map(line => `      ${line}\n`).join('')}`;
}
