// What waits on disk: in localStorage, an item an event, so that keeping one costs the same however many wait.
//
// Tabs share localStorage and must not send each other's. So each page has a name of its own in the keys, and beside its
// events a lease, the time it last said that it lives. Without a lease, or with one older than `leaseMs`, a page is dead, and
// any other may adopt its events: it moves them under its own name. A page that finds its lease gone has been adopted, or
// somebody has cleared the storage: what nobody else holds is still its own. In doubt an event is sent twice, which is one
// row, rather than never. No Web Locks: a page that holds one is kept out of the back/forward cache.

import { uuidv7 } from './id.ts';

export interface Kept {
  /** Orders events by when they were tracked. */
  readonly id: string;
  readonly json: string;
  /** Memory may forget it. */
  onDisk?: boolean;
  /** A beacon has taken it; no answer has told of it. */
  isBeaconed?: boolean;
}

export interface Store {
  /** False: it is in memory alone. */
  put(kept: Kept): boolean;
  remove(id: string): void;
  /** Says that this page lives. False: it was taken for dead meanwhile. */
  renew(): boolean;
  /** Another page has the event. */
  isElsewhere(id: string): boolean;
  /** Lets the next page have everything at once. */
  release(): void;
  /** The events of the dead, oldest first, while there is room; `awaits`: there are more, or of who lives. */
  adopt(events: number, chars: number): { readonly adopted: readonly Kept[]; readonly awaits: boolean };
}

export const leaseMs = 10_000;

export const memoryStore: Store = {
  put: () => false,
  remove: () => {},
  renew: () => true,
  isElsewhere: () => false,
  release: () => {},
  adopt: () => ({ adopted: [], awaits: false }),
};

/** `url`: events for one server are never sent to another. `storage` may refuse at any time. */
export function diskStore(storage: Storage, url: string, now: () => number): Store {
  const prefix = `ugc ${url} `;
  const own = prefix + uuidv7(now());
  let lease = '';

  /** What a refused storage gives. */
  function or<T>(refused: T, ask: () => T): T {
    try {
      return ask();
    } catch {
      return refused;
    }
  }

  const keys = () => or([], () => Object.keys(storage).filter(key => key.startsWith(prefix))).sort();
  const isDead = (owner: string) => !(Math.abs(now() - Number(or(null, () => storage.getItem(owner)))) < leaseMs);

  const store: Store = {
    put: ({ id, json }) =>
      or(false, () => {
        if (lease === '') store.renew(); // before the event, or another page could take it for a dead one's
        storage.setItem(`${own} ${id}`, json);
        return true;
      }),
    remove: id => or(undefined, () => storage.removeItem(`${own} ${id}`)),
    renew: () =>
      or(true, () => {
        const isOurs = lease === '' || storage.getItem(own) === lease;
        lease = String(now());
        storage.setItem(own, lease);
        return isOurs;
      }),
    isElsewhere: id => keys().some(key => key.endsWith(id) && !key.startsWith(own)),
    release() {
      lease = '';
      or(undefined, () => storage.removeItem(own));
    },
    adopt(events, chars) {
      const adopted: Kept[] = [];
      let awaits = false;
      for (const key of keys()) {
        const [owner, id] = [key.slice(0, own.length), key.slice(own.length + 1)];
        if (owner === own) continue;
        if (!isDead(owner) || events < 1 || chars < 1) awaits = true;
        else
          or(undefined, () => {
            const json = storage.getItem(key);
            storage.removeItem(key);
            if (id === '' || json === null) return; // a lease
            events--;
            chars -= json.length;
            const kept: Kept = { id, json };
            kept.onDisk = store.put(kept);
            adopted.push(kept);
          });
      }
      return { adopted, awaits };
    },
  };
  return store;
}
