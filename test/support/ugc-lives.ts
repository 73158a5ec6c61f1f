// One ugc after another on the same folder, under load from the first moment to the last: killed and started again while
// clients go on. Keeps what the answers were worth: how slow, and which of them failed with nothing to excuse it.

import { thaw } from './freeze.ts';
import { type Ledger, load, type Timed } from './load.ts';
import type { Random } from './random.ts';
import { startUgc, type Ugc } from './ugc.ts';

export interface LivesOptions {
  readonly dataDir: string;
  readonly flags: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly random: Random;
  readonly ledger: Ledger;
  /** What is going on, for the record. */
  readonly circumstances: () => string;
  /** Whether a request that was under way in this time may fail or be late. */
  readonly isExcused: (answer: Timed) => boolean;
  /** Ends a full disk. Without a single byte SQLite cannot open its file: ugc says so and ends, and somebody has to act. */
  readonly makeRoom: () => void;
  /** A client's pause after each answer, at most. */
  readonly pauseMsMax?: number;
}

export interface Slow {
  readonly ms: number;
  readonly during: string;
}

export interface UgcLives {
  current(): Ugc;
  /** Ends this life, and begins the next one with load. SIGTERM must end it with 0. */
  next(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** No more load; the process goes on. */
  quiet(): Promise<void>;
  /** SIGTERM, with what it ends with. */
  stop(): Promise<number>;
  /** Answers that were to come in time. */
  readonly answers: () => number;
  readonly slowest: () => Slow;
  /** `status during circumstances`, of answers that should not have failed; and lives that ended of themselves. */
  readonly failures: readonly string[];
  /** How long each start took until ready. */
  readonly startMs: readonly number[];
  readonly stopMs: readonly number[];
}

export async function ugcLives(options: LivesOptions): Promise<UgcLives> {
  const { dataDir, flags, env = {}, random, ledger, circumstances, isExcused, makeRoom, pauseMsMax = 40 } = options;
  const failures: string[] = [];
  const startMs: number[] = [];
  const stopMs: number[] = [];
  let answers = 0;
  let slowest: Slow = { ms: 0, during: 'nothing' };
  let ugc: Ugc;
  let isEnding = false;
  let loading = new AbortController();
  let loaded: Promise<void> = Promise.resolve();

  async function begin(): Promise<void> {
    const startedAt = performance.now();
    ugc = await startUgc({ dataDir, flags, env }).catch(error => {
      if (!String(error).includes('The disk of the buffer is full')) throw error;
      makeRoom();
      return startUgc({ dataDir, flags, env });
    });
    startMs.push(performance.now() - startedAt);
    isEnding = false;
    const started = ugc;
    void ugc.exited.then(code => {
      if (started === ugc && !isEnding)
        failures.push(`ended with ${code} during ${circumstances()}: ${started.output().slice(-2_000)}`);
    });
    loading = new AbortController();
    const { signal } = loading;
    const clients = random.between(2, 8);
    loaded = load({ url: ugc.url, random, ledger, clients, signal, pauseMsMax, onAnswer: note(signal) });
  }

  /** Once a life is to end, its answers are nobody's business: aborted says so. */
  const note =
    (ending: AbortSignal) =>
    (answer: Timed): void => {
      if (ending.aborted || isExcused(answer)) return;
      answers++;
      const ms = answer.answeredAt - answer.sentAt;
      const during = circumstances();
      if (ms > slowest.ms) slowest = { ms, during };
      if (answer.status === 0 || answer.status >= 500) failures.push(`${answer.status} during ${during}`);
    };

  await begin();
  return {
    current: () => ugc,
    async next(signal) {
      const diedAt = performance.now();
      isEnding = true;
      loading.abort();
      ugc.kill(signal);
      thaw(ugc); // it may be frozen
      const [code] = await Promise.all([ugc.exited, loaded]);
      stopMs.push(performance.now() - diedAt);
      if (signal === 'SIGTERM' && code !== 0)
        throw new Error(`SIGTERM ended ugc with ${code} during ${circumstances()}: ${ugc.output().slice(-2_000)}`);
      await begin();
    },
    async quiet() {
      loading.abort();
      await loaded;
    },
    stop: () => {
      isEnding = true;
      return ugc.stop();
    },
    answers: () => answers,
    slowest: () => slowest,
    failures,
    startMs,
    stopMs,
  };
}
