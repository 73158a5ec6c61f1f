// What it means that a server of the cold archive gave no answer at all.

import { messageOf, PipelineError } from '../errors.ts';

/** `setting`: said behind the words where the server may be another than is meant. */
export function archiveFailure(where: string, error: unknown, setting = ''): PipelineError {
  if (error instanceof PipelineError) return error;
  const words = `${(error as { code?: string } | null)?.code ?? ''} ${messageOf(error)}`.trim();
  if (/certificate|self.signed|\btls\b|\bssl\b/i.test(words))
    return new PipelineError(
      'archive_halted',
      `${where}: ${words}: UGC_ARCHIVE_TLS_CA has to name who signed that certificate`,
      { cause: error },
    );
  return new PipelineError('archive_unavailable', `${where}: ${words}${setting}`, { cause: error });
}
