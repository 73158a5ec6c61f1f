// What keeps it from reading now, by what it concerns: told in the log when it begins, changes and ends, not at every
// attempt, and at any time in one line for readiness.

import type { PipelineError } from '../../../errors.ts';
import type { Logger } from '../../../process/telemetry.ts';

export interface Troubles {
  /** The same again is not told again. */
  tell(subject: string, error: PipelineError): void;
  clear(subject: string): void;
  /** Null when all is well. */
  problem(): string | null;
}

/** Of a problem that is one of many. */
const shownMax = 3;

export function troublesOf(logger: Logger): Troubles {
  const open = new Map<string, PipelineError>();
  return {
    tell(subject, error) {
      const before = open.get(subject);
      open.set(subject, error);
      if (before?.code === error.code && (error.retry !== 'halt' || before.message === error.message)) return;
      const about = { code: error.code, rabbitmq: subject };
      if (error.retry === 'halt') logger.error(about, `reading from RabbitMQ needs repair: ${error.message}`);
      else logger.warn(about, `reading from RabbitMQ is interrupted: ${error.message}`);
    },
    clear(subject) {
      if (open.delete(subject)) logger.info({ rabbitmq: subject }, 'reading from RabbitMQ goes on');
    },
    problem() {
      if (open.size === 0) return null;
      const all = [...new Set([...open.values()].map(({ message }) => message))];
      return all.slice(0, shownMax).join('; ') + (all.length > shownMax ? `; and ${all.length - shownMax} more` : '');
    },
  };
}
