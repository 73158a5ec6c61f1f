// The disk buffer as the log the edge writes to: an envelope is stored when the append that carried it is committed.
// A batch is one append, so its outcomes are all good or all the same failure.

import { messageOf, PipelineError } from '../errors.ts';
import type { DiskBuffer } from '../ports/buffer.ts';
import type { Log, Outcome } from '../ports/log.ts';

const stored: Outcome = { ok: true, stored: 'disk' };

/** Closing it closes the buffer. */
export function diskLog(buffer: DiskBuffer): Log {
  return {
    async publish(envelopes) {
      const outcome = await buffer.append(envelopes).then(
        () => stored,
        (error: unknown) => ({ ok: false, error: known(error) }) as const,
      );
      return envelopes.map(() => outcome);
    },
    close: () => buffer.close(),
  };
}

const known = (error: unknown): PipelineError =>
  error instanceof PipelineError ? error : new PipelineError('internal', messageOf(error), { cause: error });
