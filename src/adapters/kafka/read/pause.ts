// Waiting that can be ended early: one waiter at a time, and a wake that comes before it is not lost.

import { timed } from '../../../process/sleep.ts';

export interface Pause {
  /** Resolves after `ms`, or at once when woken, also before. */
  wait(ms: number): Promise<void>;
  wake(): void;
}

export function pauseOf(): Pause {
  let isWoken = false;
  let end = (): void => {};
  return {
    async wait(ms) {
      if (!isWoken)
        await new Promise<void>(resolve => {
          const timer = setTimeout(resolve, ms);
          end = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      isWoken = false;
      end = () => {};
    },
    wake() {
      isWoken = true;
      end();
    },
  };
}

/** The promise's end, or `ms`, whichever comes first. Never rejects. */
export const within = (ms: number, promise: Promise<unknown>): Promise<void> =>
  timed(ms, promise.then(nothing, nothing), nothing);

const nothing = (): void => {};
