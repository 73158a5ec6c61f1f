// A trouble that is met again and again, a full disk above all: said when it begins, once a minute while it lasts, and
// when it is over.

import type { Complain } from './file.ts';

export interface Trouble {
  met(reason: string): void;
  over(): void;
}

export interface TroubleOptions {
  readonly complain: Complain;
  readonly words: string;
  /** What is said when it is over. */
  readonly end: string;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

const againMs = 60_000;

export function troubleOf({ complain, words, end, now = () => performance.now() }: TroubleOptions): Trouble {
  let times = 0;
  let saidAtMs = 0;
  return {
    met(reason) {
      const atMs = now();
      if (times++ > 0 && atMs - saidAtMs < againMs) return;
      saidAtMs = atMs;
      complain(words, { reason, times });
    },
    over() {
      if (times > 0) complain(end, { times }, 'info');
      times = 0;
    },
  };
}
