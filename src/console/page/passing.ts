// Events as they pass, for the view of them: the newest so many, given out four times a second at most and in an animation
// frame, however many come. Paused, it goes on reading and shows nothing new.

import { key } from './ask.ts';
import { type Store, store } from './store.ts';
import { readStream } from './stream.ts';

/** What `event` and `rejected` of the stream tell. */
export interface Passed {
  readonly id: string | null;
  readonly at: string;
  readonly outcome: 'accepted' | 'rejected' | 'dropped' | 'failed';
  readonly type: string;
  readonly source: string;
  readonly user: string | null;
  readonly stored?: string;
  readonly reason?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  readonly body?: unknown;
  readonly body_start?: string;
  readonly shape?: unknown;
}

export interface Row extends Passed {
  /** Of the message: no two have the same. */
  readonly place: number;
  /** The event as it was told, as JSON text. */
  readonly text: string;
}

export interface Shown {
  /** Newest first. */
  readonly rows: readonly Row[];
  /** Since it was paused. */
  readonly unseen: number;
  /** Passed without being told here. */
  readonly missed: number;
  /** '' = the stream is read. */
  readonly problem: string;
}

export interface PassingView {
  readonly shown: Store<Shown>;
  pause(isPaused: boolean): void;
  stop(): void;
}

export const rowsMax = 1_000;
/** More often than anybody reads costs frames. */
const givenEveryMs = 250;

export function passing(query: string): PassingView {
  const shown = store<Shown>({ rows: [], unseen: 0, missed: 0, problem: 'not yet asked' });
  let fresh: Row[] = [];
  let [place, missed, problem] = [0, 0, 'not yet asked'];
  let isPaused = false;
  let isDue = false;
  let givenAtMs = 0;

  function give(): void {
    isDue = false;
    givenAtMs = performance.now();
    if (isPaused) {
      shown.set({ ...shown.get(), unseen: shown.get().unseen + counted(), missed, problem });
      return;
    }
    const rows = fresh.length === 0 ? shown.get().rows : [...fresh.reverse(), ...shown.get().rows].slice(0, rowsMax);
    fresh = [];
    unseenOf = place;
    shown.set({ rows, unseen: 0, missed, problem });
  }

  let unseenOf = 0;
  function counted(): number {
    const since = place - unseenOf;
    unseenOf = place;
    return since;
  }

  function due(): void {
    if (isDue) return;
    isDue = true;
    const waitMs = Math.max(0, givenEveryMs - (performance.now() - givenAtMs));
    setTimeout(() => requestAnimationFrame(give), waitMs);
  }

  function take(event: string, data: string): void {
    if (event === 'dropped') {
      missed += (JSON.parse(data) as { count: number | null }).count ?? 0;
    } else if (event === 'event' || event === 'rejected') {
      const told = JSON.parse(data) as Passed;
      fresh.push({ ...told, place: place++, text: textOf(told) });
      if (fresh.length > rowsMax) fresh = fresh.slice(-rowsMax);
    } else return;
    due();
  }

  const begin = (): (() => void) =>
    readStream(`kinds=events${query === '' ? '' : `&${query}`}`, {
      onState: words => {
        problem = words;
        due();
      },
      onMessage: ({ event, data }) => take(event, data),
    });
  let end = begin();
  const unwatch = key.watch(() => {
    end();
    end = begin();
  });
  return {
    shown,
    pause(is) {
      isPaused = is;
      due();
    },
    stop() {
      end();
      unwatch();
    },
  };
}

/** Of one that was rejected only its shape is told. */
const textOf = ({ body, body_start, shape }: Passed): string =>
  body_start !== undefined ? `${body_start}…` : JSON.stringify(body ?? shape ?? null);
