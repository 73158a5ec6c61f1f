// What PostgreSQL's errors mean, and those of the way to it: the one place that looks at them.
// https://www.postgresql.org/docs/current/errcodes-appendix.html

import { messageOf, PipelineError } from '../../errors.ts';

/** Its SQLSTATE, as Bun's client tells it; '' of errors that are not the server's. */
export function sqlStateOf(error: unknown): string {
  const { errno } = (error ?? {}) as { errno?: unknown };
  return typeof errno === 'string' ? errno : '';
}

/** The session ended: while it answers nobody, what was asked for may have been done. */
const cutOff = /^(08...|57P01|57P02|57P05)$/;
/** It said no before it began, or took back what it had begun. */
const notDone = /^(57P03|53...|57014|55P03|40001|40P01|25006|25P0[123])$/;
const needsRepair = /^(28...|3D000|3F000|42...|XX...|58...|0A000)$/;

/** `isWrite`: what was asked for changes something. */
export function toPipelineError(error: unknown, isWrite: boolean): PipelineError {
  if (error instanceof PipelineError) return error;
  const state = sqlStateOf(error);
  const told = (code: PipelineError['code'], words: string): PipelineError =>
    new PipelineError(code, `The content store’s PostgreSQL ${words}: ${messageOf(error)}${state && ` (${state})`}`, {
      cause: error,
    });
  if (state.startsWith('22')) return told('invalid', 'cannot keep this');
  if (notDone.test(state)) return told('store_unavailable', 'cannot do this just now');
  if (needsRepair.test(state)) return told('store_halted', 'needs repair');
  if (cutOff.test(state) || state === '')
    return isWrite ? told('store_unknown', 'was cut off') : told('store_unavailable', 'cannot be reached');
  return told('store_halted', 'refuses this');
}

/** The tables or functions are not there: somebody has removed them, and they can be made again. */
export const isWithoutSchema = (error: unknown): boolean => /^(42P01|42883|3F000)$/.test(sqlStateOf(error));
