// Who it is, and whether anything may be tracked. Kept in sessionStorage, with `remember` in localStorage, else in memory; read
// each time, since another tab may have logged out meanwhile.

import { uuidv7 } from './id.ts';
import { type Items, type MaybeItems, tried } from './tried.ts';

export interface Who {
  /** Made when there is none, or nothing was tracked for half an hour. */
  known(): Known;
  /** True: it was another. */
  setUser(userId: string): boolean;
  reset(): void;
  /** What was chosen, else what the page says. */
  isOn(): boolean;
  choose(isIn: boolean): void;
}

export interface Known {
  readonly session?: string;
  readonly visitor?: string;
  readonly user?: string;
  /** When the session was last seen, to the minute. */
  readonly at?: number;
}

const sessionIdleMs = 1_800_000;
const writtenEveryMs = 60_000;

export interface WhoOptions {
  /** None = memory. */
  readonly storage: MaybeItems;
  /** Of what was chosen; none = memory. */
  readonly choices: MaybeItems;
  /** A visitor has an id that outlasts the session. */
  readonly remember: boolean | undefined;
  /** Nothing is tracked unless somebody has opted in. */
  readonly isOffByDefault: boolean | undefined;
  readonly now: () => number;
}

export function whoOf({ storage, choices, remember, isOffByDefault, now }: WhoOptions): Who {
  let inMemory: Known = {};
  let chosen = isOffByDefault ? 'out' : 'in';

  const load = (): Known => tried(() => JSON.parse((storage as Items).getItem('ugc')!) as Known | null) ?? inMemory;
  const save = (known: Known): Known => {
    inMemory = known;
    tried(() => (storage as Items).setItem('ugc', JSON.stringify(known)));
    return known;
  };
  const reset = (): void => void save({});

  return {
    known() {
      const known = load();
      const at = now();
      const idleMs = Math.abs(at - (known.at ?? 0));
      if (known.session && idleMs < writtenEveryMs) return known;
      const fresh = uuidv7(at);
      return save({
        ...(remember && { visitor: fresh }),
        ...known,
        session: known.session && idleMs < sessionIdleMs ? known.session : fresh,
        at,
      });
    },
    setUser(user) {
      const known = load();
      save({ ...known, user });
      return known.user !== user;
    },
    reset,
    isOn: () => (tried(() => (choices as Items).getItem('ugc-choice')) ?? chosen) === 'in',
    choose(isIn) {
      chosen = isIn ? 'in' : 'out';
      tried(() => (choices as Items).setItem('ugc-choice', chosen));
      if (!isIn) reset();
    },
  };
}
