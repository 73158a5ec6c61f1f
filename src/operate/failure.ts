// What a command says when it fails, and how it ends then.

import { messageOf, PipelineError } from '../errors.ts';
import type { Exit } from './arguments.ts';
import { isPipeClosed, say } from './output.ts';

/**
 * An expected failure, and a disk that is full under our output, are told in words. A reader of our output that has ended
 * has seen enough: that is none. Anything else is a bug and thrown on.
 */
export async function inWords(run: () => Promise<Exit>): Promise<Exit> {
  try {
    return await run();
  } catch (error) {
    if (isPipeClosed(error)) return 0;
    const isOutput = (error as { syscall?: string }).syscall === 'write';
    if (!(error instanceof PipelineError) && !isOutput) throw error;
    say(`ugc: ${messageOf(error).trim()}`);
    return error instanceof PipelineError && error.code === 'config_invalid' ? 2 : 1;
  }
}
