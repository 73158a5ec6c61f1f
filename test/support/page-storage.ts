// localStorage as a page has it, for tests of the SDK: items are the object's own keys; it can be full, or refuse everything.

import type { Items } from '../../sdk/src/tried.ts';

export interface PageStorage extends Items {
  /** Characters it takes; -1 = it refuses, also to be looked at. */
  limit(chars: number): void;
  keys(): readonly string[];
  clear(): void;
}

export function pageStorage(): PageStorage {
  const items = new Map<string, string>();
  let charsMax = Number.POSITIVE_INFINITY;
  const refuse = (): never => {
    throw new DOMException('The operation is insecure.', 'SecurityError');
  };
  const chars = (): number => [...items].reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  const methods: PageStorage = {
    getItem: key => (charsMax < 0 ? refuse() : (items.get(key) ?? null)),
    setItem(key, value) {
      const before = items.get(key);
      items.set(key, value);
      if (chars() <= charsMax) return;
      if (before === undefined) items.delete(key);
      else items.set(key, before);
      throw new DOMException('exceeded the quota', 'QuotaExceededError');
    },
    removeItem: key => void (charsMax < 0 ? refuse() : items.delete(key)),
    limit: most => {
      charsMax = most;
    },
    keys: () => [...items.keys()],
    clear: () => items.clear(),
  };
  return new Proxy(methods, {
    ownKeys: () => (charsMax < 0 ? refuse() : [...items.keys()]),
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  });
}
