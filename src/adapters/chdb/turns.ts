// A bounded number of calls at once, and a bounded number that waits for its turn, first come first served.

import { refuse } from './error.ts';

export interface Turns {
  /** Null: there is room, and it is taken. Else resolves once it is. */
  enter(signal?: AbortSignal): Promise<void> | null;
  leave(): void;
  refuse(error: Error): void;
}

export function openTurns(max: number, waitingMax: number): Turns {
  const waiting: { readonly go: () => void; readonly fail: (error: unknown) => void }[] = [];
  let inside = 0;
  return {
    enter: signal => {
      if (inside < max) {
        inside += 1;
        return null;
      }
      if (waiting.length >= waitingMax)
        return Promise.reject(
          refuse(
            202,
            `Too many simultaneous queries: ${max} run and ${waitingMax} wait`,
            'TOO_MANY_SIMULTANEOUS_QUERIES',
          ),
        );
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const onAbort = () => {
        waiting.splice(waiting.indexOf(place), 1);
        reject(signal?.reason);
      };
      const place = {
        go: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
        fail: (error: unknown) => {
          signal?.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      waiting.push(place);
      return promise;
    },
    leave: () => {
      const next = waiting.shift();
      if (next) next.go();
      else inside -= 1;
    },
    refuse: error => {
      for (const place of waiting.splice(0)) place.fail(error);
    },
  };
}
