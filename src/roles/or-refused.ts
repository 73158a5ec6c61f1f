// What a start cannot go on with.

import { messageOf, PipelineError } from '../errors.ts';

/** What `open` gives, or `config_invalid` with `what` before its reason. */
export function orRefused<T>(what: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw new PipelineError('config_invalid', `${what}: ${messageOf(error)}`, { cause: error });
  }
}
