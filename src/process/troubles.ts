// What is not well with a broker now, by what it concerns: told in the log when it begins, changes and ends, not at every
// attempt, and at any time in one line for readiness.

import type { PipelineError } from '../errors.ts';
import type { Logger } from './telemetry.ts';

export interface Troubles {
  /** The same again is not told again. */
  tell(subject: string, error: PipelineError): void;
  clear(subject: string): void;
  /** These concern this process no more; what still is will be told again. */
  forget(subjects: RegExp): void;
  /** Null when all is well. */
  problem(): string | null;
}

/** Of a problem that is one of many; a cluster that is down must not fill a page. */
const shownMax = 3;

/** `name` as settings have it, `title` as people do. */
export interface Troubled {
  readonly name: string;
  readonly title: string;
  readonly logger: Logger;
}

export function troublesOf({ name, title, logger }: Troubled): Troubles {
  const open = new Map<string, PipelineError>();
  return {
    tell(subject, error) {
      const before = open.get(subject);
      open.set(subject, error);
      // The words of a broken connection change from one attempt to the next, and mean the same.
      const isSame = before?.code === error.code && (error.retry !== 'halt' || before.message === error.message);
      if (isSame) return;
      const about = { code: error.code, transport: name, subject }; // no stack: it says nothing of what the broker does
      if (error.retry === 'halt') logger.error(about, `reading from ${title} needs repair: ${error.message}`);
      else logger.warn(about, `reading from ${title} is interrupted: ${error.message}`);
    },
    clear(subject) {
      if (open.delete(subject)) logger.info({ transport: name, subject }, `reading from ${title} goes on`);
    },
    forget(subjects) {
      for (const subject of open.keys()) if (subjects.test(subject)) open.delete(subject);
    },
    problem() {
      if (open.size === 0) return null;
      const all = [...new Set([...open.values()].map(({ message }) => message))];
      const more = all.length > shownMax ? `; and ${all.length - shownMax} more` : '';
      return all.slice(0, shownMax).join('; ') + more;
    },
  };
}
