// What waits while a bench runs: a gauge of a running ugc, asked twice a second.

import { metric } from '../test/support/oracle.ts';

/** `stop` gives the most it was, and the last. */
export function lagOf(url: string, gauge: string) {
  let isRunning = true;
  let most = 0;
  let last = 0;
  const watching = (async () => {
    while (isRunning) {
      last = await metric(url, gauge);
      most = Math.max(most, last);
      await Bun.sleep(500);
    }
  })();
  return {
    stop: async () => {
      isRunning = false;
      await watching;
      return { most, last };
    },
  };
}
