// A poll that waits until there is something to take, or it is over: one at a time, woken by whoever brings something.

export interface WaitingPoll<Wanted, T> {
  /** What `take` had first; none when the signal is aborted or all is closed. */
  poll(wanted: Wanted, signal: AbortSignal): Promise<readonly T[]>;
  /** There may be something to take now, or all is closed. */
  wake(): void;
}

export function waitingPoll<Wanted, T>(
  take: (wanted: Wanted) => readonly T[],
  isClosed: () => boolean,
): WaitingPoll<Wanted, T> {
  let wake = (): void => {};
  return {
    async poll(wanted, signal) {
      const end = (): void => wake();
      signal.addEventListener('abort', end, { once: true });
      try {
        while (!isClosed() && !signal.aborted) {
          // Before it is looked: what comes while it looks is seen.
          const woken = Promise.withResolvers<void>();
          wake = woken.resolve;
          const taken = take(wanted);
          if (taken.length > 0) return taken;
          await woken.promise;
        }
        return [];
      } finally {
        signal.removeEventListener('abort', end);
        wake = () => {};
      }
    },
    wake: () => wake(),
  };
}
