// How many bytes wait to be sent, and the moment when none does any more.

export interface WaitingBytes {
  readonly bytes: number;
  /** Whether so many more fit below the most; one alone always does. */
  fits(more: number): boolean;
  add(more: number): void;
  remove(less: number): void;
  /** Resolves once nothing waits, or after so long. */
  whenNone(msMax?: number): Promise<void>;
}

export function waitingBytes(bytesMax: number): WaitingBytes {
  let bytes = 0;
  let onNone = (): void => {};
  return {
    get bytes() {
      return bytes;
    },
    fits: more => bytes === 0 || bytes + more <= bytesMax,
    add(more) {
      bytes += more;
    },
    remove(less) {
      bytes -= less;
      if (bytes === 0) onNone();
    },
    async whenNone(msMax) {
      if (bytes === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      onNone = resolve;
      const timer = msMax === undefined ? undefined : setTimeout(resolve, msMax);
      await promise;
      clearTimeout(timer);
    },
  };
}
