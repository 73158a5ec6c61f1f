// The keys there are just now, by their hashes. The file is looked at twice a second, so that a key that was added or
// revoked is so within one; a file that has become wrong changes nothing, and is said.

import { statSync } from 'node:fs';
import { messageOf } from '../errors.ts';
import type { Logger } from '../process/telemetry.ts';
import { hashOf, kindOf } from './key.ts';
import { readKeys, type StoredKey } from './keys-file.ts';

export interface Keyring {
  /** The key, or in words why it is none. */
  find(text: string): StoredKey | string;
  readonly size: number;
  /** Of pages, that keys which were not revoked name; another list once the file has changed. */
  readonly origins: readonly string[];
  /** Why the file as it is now does not count; null = it does. */
  problem(): string | null;
  /** Looks at once. */
  look(): void;
  close(): void;
}

export interface KeyringOptions {
  readonly path: string;
  readonly logger: Logger;
  readonly now?: () => number;
}

const lookEveryMs = 500;
/** Texts that were found, so that they need not be hashed again. */
const rememberedMax = 10_000;

/** Throws when the file is there and wrong: a process does not start without knowing whom to let in. */
export function openKeyring({ path, logger, now = Date.now }: KeyringOptions): Keyring {
  let stamp = stampOf(path);
  let byHash = indexOf(readKeys(path));
  let origins = originsOf(byHash);
  let remembered = new Map<string, StoredKey>();
  let wrong: string | null = null;
  const looking = setInterval(look, lookEveryMs);
  looking.unref();

  function look(): void {
    const current = stampOf(path);
    if (current === stamp) return;
    stamp = current;
    try {
      byHash = indexOf(readKeys(path));
      origins = originsOf(byHash);
      remembered = new Map();
      wrong = null;
      logger.info({ keys: byHash.size, path }, 'the API keys were read again');
    } catch (error) {
      wrong = messageOf(error);
      logger.error({ path, reason: wrong }, 'the file of API keys is wrong: those of before still count');
    }
  }

  function known(text: string): StoredKey | string {
    const before = remembered.get(text);
    if (before !== undefined) return before;
    if (kindOf(text) === null) return 'it is no API key, or a character of it is wrong or missing';
    const key = byHash.get(hashOf(text));
    if (key === undefined) return 'it is not known here';
    if (remembered.size >= rememberedMax) remembered = new Map();
    remembered.set(text, key);
    return key;
  }

  return {
    find(text) {
      const key = known(text);
      if (typeof key === 'string') return key;
      if (key.revoked_at !== undefined) return `it was revoked at ${key.revoked_at}`;
      if (key.expires_at !== undefined && Date.parse(key.expires_at) <= now()) return `it expired at ${key.expires_at}`;
      return key;
    },
    get size() {
      return byHash.size;
    },
    get origins() {
      return origins;
    },
    problem: () => wrong,
    look,
    close: () => clearInterval(looking),
  };
}

const indexOf = (keys: readonly StoredKey[]): ReadonlyMap<string, StoredKey> =>
  new Map(keys.map(key => [key.sha256, key]));

const originsOf = (keys: ReadonlyMap<string, StoredKey>): readonly string[] =>
  keys
    .values()
    .flatMap(key => (key.revoked_at === undefined ? (key.origins ?? []) : []))
    .toArray();

/** A secret of Kubernetes is a link to a link: what is looked at is the file at its end. */
function stampOf(path: string): string {
  try {
    const { ino, size, mtimeMs } = statSync(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return 'none';
  }
}
