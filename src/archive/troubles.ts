// What does not work just now, told in the log once as long as it is the same.

import { messageOf } from '../errors.ts';
import type { Logger } from '../process/telemetry.ts';

export interface Troubles {
  tell(part: string, error: unknown, words: string): void;
  over(part: string): void;
  words(): Readonly<Record<string, string>>;
}

export function troublesOf(logger: Logger): Troubles {
  const said = new Map<string, string>();
  return {
    tell: (part, error, words) => {
      if (said.get(part) !== messageOf(error)) logger.error({ err: error }, words);
      said.set(part, messageOf(error));
    },
    over: part => {
      if (said.delete(part))
        logger.info(part === 'archive' ? 'the archive takes events again' : 'the log is read again');
    },
    words: () => Object.fromEntries(said),
  };
}
