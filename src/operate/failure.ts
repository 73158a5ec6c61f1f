// What a command says when it fails, and how it ends then.

import { messageOf, PipelineError } from '../errors.ts';
import type { Exit } from './arguments.ts';
import { say } from './output.ts';

/**
 * An expected failure as one line: 2 when the wrong place or setting was named, else 1. Anything else is thrown on: output
 * that ended is for main, the rest is a bug.
 */
export async function inWords(run: () => Promise<Exit>): Promise<Exit> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    say(`ugc: ${messageOf(error).trim()}`);
    return error.code === 'config_invalid' ? 2 : 1;
  }
}
