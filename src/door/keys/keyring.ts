// The keys there are just now, by their hashes: a key that was added or revoked is so within a second.

import { liveFile } from '../../process/file.ts';
import type { Logger } from '../../process/telemetry.ts';
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

/** Texts that were found, so that they need not be hashed again. */
const rememberedMax = 10_000;

/** Throws when the file is there and wrong: a process does not start without knowing whom to let in. */
export function openKeyring({ path, logger, now = Date.now }: KeyringOptions): Keyring {
  let remembered = new Map<string, StoredKey>();
  const file = liveFile({
    path,
    read: () => keysAt(path),
    what: 'API keys',
    logger,
    onChange: () => {
      remembered = new Map();
    },
  });

  function known(text: string): StoredKey | string {
    const before = remembered.get(text);
    if (before !== undefined) return before;
    if (kindOf(text) === null) return 'it is no API key, or a character of it is wrong or missing';
    const key = file.value.byHash.get(hashOf(text));
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
      return file.value.byHash.size;
    },
    get origins() {
      return file.value.origins;
    },
    problem: file.problem,
    look: file.look,
    close: file.close,
  };
}

interface Keys {
  readonly byHash: ReadonlyMap<string, StoredKey>;
  readonly origins: readonly string[];
}

function keysAt(path: string): Keys {
  const keys = readKeys(path);
  return {
    byHash: new Map(keys.map(key => [key.sha256, key])),
    origins: keys.flatMap(key => (key.revoked_at === undefined ? (key.origins ?? []) : [])),
  };
}
