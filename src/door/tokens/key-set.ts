// The keys of an issuer as they are just now: loaded at the start, every few minutes, and when a token names one that is
// not there.
//
// - Keys that were had count until the issuer has told of others, however long it is away: a token says itself when it
//   ends. They are kept in the data folder, so they count after a restart, too.
// - Tokens of unknown keys make it load, one load at a time for all of them and none sooner than `cooldownMs` after the
//   last: who sends junk cannot have the issuer asked more often.
// - A key is unknown for certain only by a load that began after its token had come. Otherwise nobody knows, and the
//   sender has to be told to try again: 401 would make it throw its events away.

import { messageOf } from '../../errors.ts';
import { sleep } from '../../process/sleep.ts';
import type { Logger } from '../../process/telemetry.ts';
import { readKeySet } from './jwk-set.ts';
import { readKeptKeys, writeKeptKeys } from './kept-keys.ts';
import { type FindKey, findersOf } from './key-finders.ts';

export interface KeySet {
  /** Ways to a token's key; the same list until keys change, an empty one while there are none. */
  finders(): readonly FindKey[];
  /** Loads where that may help. True = what is there now is no older than this call. Never rejects. */
  renew(): Promise<boolean>;
  /** Why keys cannot be loaded, and since when; null = they can. */
  problem(): string | null;
  close(): Promise<void>;
}

export interface LoadedKeysOptions {
  /** Whose keys they are, for people and for the file: an address. */
  readonly from: string;
  /** The key set as JSON; rejects with an Error in words. */
  readonly load: (signal: AbortSignal) => Promise<unknown>;
  /** Where they are kept. */
  readonly path: string;
  readonly reloadEveryMs: number;
  readonly cooldownMs?: number;
  readonly logger: Logger;
  readonly now?: () => number;
}

const loadMsMax = 5_000;
/** After a failure it is tried again after a second, then after twice as long each time, up to this. */
const retryMsMax = 30_000;

interface Trouble {
  readonly sinceMs: number;
  readonly words: string;
}

export function loadedKeys(options: LoadedKeysOptions): KeySet {
  const { from, path, reloadEveryMs, cooldownMs = 5_000, logger, now = Date.now } = options;
  const stopping = new AbortController();
  let keys = readKeptKeys(path, from, logger);
  let finders = findersOf(keys);
  let isKept = keys.length > 0;
  let trouble: Trouble | null = null;
  let failures = 0;
  let loading: Promise<void> | null = null;
  let loadedAtMs = Number.NEGATIVE_INFINITY;
  const done = run();

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await load();
      const retryMs = Math.min(1_000 * 2 ** (failures - 1), retryMsMax);
      await sleep(failures === 0 ? reloadEveryMs : Math.min(retryMs, reloadEveryMs), stopping.signal);
    }
  }

  function load(): Promise<void> {
    loading ??= loadOnce().finally(() => {
      loading = null;
      loadedAtMs = now();
    });
    return loading;
  }

  async function loadOnce(): Promise<void> {
    try {
      take(await options.load(AbortSignal.any([stopping.signal, AbortSignal.timeout(loadMsMax)])));
      if (trouble !== null) logger.info({ from }, 'the keys of tokens can be loaded again');
      trouble = null;
      failures = 0;
    } catch (error) {
      if (stopping.signal.aborted) return;
      const words = messageOf(error);
      if (trouble === null) logger.warn({ from, reason: words }, 'the keys of tokens cannot be loaded');
      trouble = { sinceMs: trouble?.sinceMs ?? now(), words };
      failures++;
    }
  }

  /** Throws when there is no key in it: its issuer says so, and yet no sender should throw its events away. */
  function take(given: unknown): void {
    const read = readKeySet(given);
    if (JSON.stringify(read.keys) !== JSON.stringify(keys)) {
      keys = read.keys;
      finders = findersOf(keys);
      for (const words of read.leftOut) logger.warn({ from }, `a key of tokens was left out: ${words}`);
      logger.info({ from, keys: keys.length }, 'the keys of tokens have changed');
      isKept = false;
    }
    if (!isKept) isKept = writeKeptKeys(path, { from, keys }, logger);
    if (keys.length === 0) throw new Error('there is no key in the set that could check a token');
  }

  return {
    finders: () => finders,
    async renew() {
      const isJoined = loading !== null; // it may have been answered before the token's key was there
      if (!isJoined && now() - loadedAtMs < cooldownMs) return false;
      await load();
      return !isJoined && trouble === null;
    },
    problem() {
      if (trouble === null) return null;
      const meanwhile = keys.length > 0 ? 'those of before still count' : 'until then no token can be checked';
      return `the keys of ${from} cannot be loaded since ${new Date(trouble.sinceMs).toISOString()}: ${trouble.words}; ${meanwhile}`;
    },
    async close() {
      stopping.abort();
      await done;
    },
  };
}

/** Keys that were given, and never change. */
export const fixedKeys = (finders: readonly FindKey[]): KeySet => ({
  finders: () => finders,
  renew: async () => true,
  problem: () => null,
  close: async () => {},
});
