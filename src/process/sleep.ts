// Waiting that ends when told to.

import { PipelineError } from '../errors.ts';

/** Resolves after `ms` milliseconds, or at once when the signal aborts. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted || ms <= 0) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}

export const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** What the work comes to; after `ms` without an end what `late` says, or throws. */
export function timed<T>(ms: number, work: Promise<T>, late: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      try {
        resolve(late());
      } catch (error) {
        reject(error);
      }
    }, ms);
    work.then(
      value => {
        clearTimeout(timer);
        resolve(value);
      },
      error => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

interface Patience {
  readonly pauseMs: number;
  readonly signal: AbortSignal;
  /** Told of the first refusal. */
  readonly onRefused: (error: PipelineError) => void;
}

/**
 * Asks until it is done, `pauseMs` apart, while it is refused for what passes by itself (`backoff`: a full disk). Null
 * when told to stop meanwhile; any other error is thrown on.
 */
export async function patiently<T>(ask: () => Promise<T>, { pauseMs, signal, onRefused }: Patience): Promise<T | null> {
  for (let tries = 0; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof PipelineError) || error.retry !== 'backoff') throw error;
      if (tries === 0) onRefused(error);
      await sleep(pauseMs, signal);
      if (signal.aborted) return null;
    }
  }
}

/** Asks until it is done, `pauseMs` apart, whatever it fails of. Null when told to stop meanwhile. */
export async function persistently<T>(
  ask: () => Promise<T>,
  { pauseMs, signal }: Pick<Patience, 'pauseMs' | 'signal'>,
): Promise<T | null> {
  while (!signal.aborted) {
    try {
      return await ask();
    } catch {
      await sleep(pauseMs, signal);
    }
  }
  return null;
}
