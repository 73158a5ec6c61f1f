// The console's query box: one statement at a time of each of few, cut to what a page can show.

import { PipelineError } from '../errors.ts';
import type { FreeQuery } from '../ports/shown-tables.ts';
import type { QueryAnswer } from './answers.ts';

const rowsMax = 10_000;
const secondsMax = 10;
const lengthMax = 65_536;
const atOnceMax = 2;
/** Longer than the engine takes to notice that its time is over. */
const graceMs = 1_000;

/** Rejects as FreeQuery does, and with `overloaded`. */
export type Query = (body: Readonly<Record<string, unknown>>, gone: AbortSignal) => Promise<QueryAnswer>;

export function consoleQuery(tables: FreeQuery): Query {
  let running = 0;
  return async ({ sql }, gone) => {
    if (typeof sql !== 'string' || sql.trim() === '' || sql.length > lengthMax)
      throw new PipelineError('bad_request', `sql is one statement, a text of at most ${lengthMax} characters`);
    if (!/^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/|\()*(?:SELECT|WITH|SHOW|DESCRIBE|DESC|EXPLAIN)\b/i.test(sql))
      throw new PipelineError('bad_request', 'a query here is one SELECT, WITH, SHOW, DESCRIBE or EXPLAIN');
    if (running >= atOnceMax)
      throw new PipelineError('overloaded', `${atOnceMax} queries of the console run already: wait for one to end`);
    running += 1;
    const startedAt = performance.now();
    const late = AbortSignal.timeout(secondsMax * 1_000 + graceMs);
    try {
      const signal = AbortSignal.any([gone, late]);
      const { columns, rows } = await tables.ask(sql, { limit: rowsMax + 1, seconds: secondsMax, signal });
      const elapsed_ms = Math.round(performance.now() - startedAt);
      return { columns, rows: rows.slice(0, rowsMax), elapsed_ms, cut: rows.length > rowsMax };
    } catch (error) {
      if (late.aborted) throw new PipelineError('bad_request', `it took longer than ${secondsMax} seconds`);
      throw error;
    } finally {
      running -= 1;
    }
  };
}
