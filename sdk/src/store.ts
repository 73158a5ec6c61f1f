// What waits on disk: in localStorage, an item an event, so that keeping one costs the same however many wait.
//
// Tabs share localStorage and must not send each other's. So each page has a name of its own in the keys, and beside its
// events a lease, the time it last said that it lives. Without a lease, or with one older than `leaseMs`, a page is dead, and
// any other may adopt its events: it moves them under its own name. A page that finds its lease gone has been adopted, or
// somebody has cleared the storage: what nobody else holds is still its own. In doubt an event is sent twice, which is one
// row, rather than never. No Web Locks: a page that holds one is kept out of the back/forward cache.

import { uuidv7 } from './id.ts';
import { type Items, type MaybeItems, tried } from './tried.ts';

export interface Kept {
  /** Orders events by when they were tracked. */
  readonly id: string;
  readonly eventJson: string;
  /** Memory may forget it. */
  onDisk?: boolean | undefined;
  /** A beacon has taken it; no answer has told of it. */
  isBeaconed?: boolean;
}

export interface Store {
  /** True: it is on disk. */
  put(kept: Kept): boolean | undefined;
  remove(id: string): unknown;
  /** Says that this page lives. False: it was taken for dead meanwhile. */
  renew(): boolean;
  /** Another page has the event. */
  isElsewhere(id: string): boolean;
  /** Lets the next page have everything at once. */
  release(): void;
  /** Hands over the events of the dead, oldest first, while there is room. */
  adopt(hasRoom: () => boolean, take: (kept: Kept) => void): void;
}

export const leaseMs = 10_000;

/** `url`: events for one server are never sent to another. Without a storage nothing is kept, nothing found. */
export function storeOf(storage: MaybeItems, url: string, now: () => number): Store {
  const prefix = `ugc ${url} `;
  const ownerChars = prefix.length + 36;
  let own = '';
  let lease = '';

  const get = (key: string) => tried(() => (storage as Items).getItem(key));
  const set = (key: string, value: string) => tried(() => (storage as Items).setItem(key, value) ?? true);
  const remove = (key: string) => tried(() => (storage as Items).removeItem(key));
  const keys = () => (tried(() => Object.keys(storage as Items)) ?? []).filter(key => key.startsWith(prefix)).sort();
  const isAlive = (owner: string) => Math.abs(now() - Number(get(owner))) < leaseMs;

  const store: Store = {
    put({ id, eventJson }) {
      if (!lease) store.renew(); // before the event, or another page could take it for a dead one's
      return set(`${own} ${id}`, eventJson);
    },
    remove: id => remove(`${own} ${id}`),
    renew() {
      const isOurs = !lease || get(own) === lease;
      if (!lease) own = prefix + uuidv7(now()); // a page that comes back is another one
      lease = `${now()}`;
      set(own, lease);
      return isOurs;
    },
    isElsewhere: id => keys().some(key => key.endsWith(` ${id}`) && !key.startsWith(own)),
    release() {
      lease = '';
      remove(own);
    },
    adopt(hasRoom, take) {
      for (const key of keys()) {
        const [owner, id] = [key.slice(0, ownerChars), key.slice(ownerChars + 1)];
        if ((lease && owner === own) || isAlive(owner) || !hasRoom()) continue;
        const eventJson = get(key);
        remove(key);
        if (id && eventJson) take({ id, eventJson }); // or it is a lease
      }
    },
  };
  return store;
}
