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
      if (said.delete(part)) logger.info(overWords[part] ?? `${part} works again`);
    },
    words: () => Object.fromEntries(said),
  };
}

const overWords: Readonly<Record<string, string>> = {
  archive: 'the archive takes events again',
  archive_log: 'the log is read again',
  archive_hive: 'Hive is told of the archive again',
};
