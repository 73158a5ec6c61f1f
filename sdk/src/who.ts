// Who it is, and whether anything may be tracked: a session and a user in sessionStorage, or with `remember` a visitor and a
// user in localStorage, and the choice of who has opted out or in. Without a storage, or when it refuses, in memory.

import { uuidv7 } from './id.ts';

export interface Who {
  /** Fields of an event: of this user, visitor and session. */
  fields(): { user_id?: string; anonymous_id: string; properties?: { readonly session_id: string } };
  readonly sessionId: string;
  /** True: it was another. */
  setUser(userId: string): boolean;
  reset(): void;
  /** Null = nobody has chosen. */
  readonly choice: boolean | null;
  choose(isIn: boolean): void;
}

const sessionIdleMs = 1_800_000;
const writtenEveryMs = 60_000;

export interface WhoOptions {
  /** Of the tab; null = memory. */
  readonly session: Storage | null;
  /** Of all visits; null = memory. */
  readonly local: Storage | null;
  readonly remember: boolean;
  readonly now: () => number;
}

interface Known {
  /** The session's id, and when it was last seen. */
  s?: string;
  at?: number;
  /** Of visitor and user. */
  v?: string;
  u?: string;
}

export function whoOf({ session, local, remember, now }: WhoOptions): Who {
  const read = (storage: Storage | null, key: string): string | null => {
    try {
      return storage!.getItem(key);
    } catch {
      return null;
    }
  };
  const write = (storage: Storage | null, key: string, value: string): void => {
    try {
      storage!.setItem(key, value);
    } catch {
      // in memory, then
    }
  };
  const knownIn = (storage: Storage | null): Known => {
    try {
      return { ...(JSON.parse(read(storage, 'ugc')!) as Known) };
    } catch {
      return {};
    }
  };

  const tab = knownIn(session);
  const person = remember ? knownIn(local) : tab;
  let choice = read(local, 'ugc-choice');
  let written = 0;

  const save = (): void => {
    written = now();
    write(session, 'ugc', JSON.stringify(tab));
    if (remember) write(local, 'ugc', JSON.stringify(person));
  };
  function sessionId(): string {
    const at = now();
    const idle = Math.abs(at - (tab.at ?? 0));
    tab.at = at;
    if (tab.s === undefined || idle > sessionIdleMs) {
      tab.s = uuidv7(at);
      save();
    } else if (at - written > writtenEveryMs) save();
    return tab.s;
  }

  return {
    fields() {
      const id = sessionId();
      if (remember && person.v === undefined) {
        person.v = uuidv7(now());
        save();
      }
      return {
        ...(person.u !== undefined && { user_id: person.u }),
        anonymous_id: person.v ?? id,
        ...(remember && { properties: { session_id: id } }),
      };
    },
    get sessionId() {
      return sessionId();
    },
    setUser(userId) {
      const isOther = person.u !== userId;
      person.u = userId;
      if (isOther) save();
      return isOther;
    },
    reset() {
      for (const known of [tab, person]) for (const name of ['s', 'v', 'u'] as const) delete known[name];
      save();
    },
    get choice() {
      return choice === null ? null : choice === '1';
    },
    choose(isIn) {
      choice = isIn ? '1' : '0';
      write(local, 'ugc-choice', choice);
      if (!isIn) this.reset();
    },
  };
}
