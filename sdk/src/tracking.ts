// A tracker over what a page or a program has: makes events, keeps them, and has them sent.

import type { Events } from './events.ts';
import { uuidv7 } from './id.ts';
import { queueOf } from './queue.ts';
import { type Post, type Sender, senderOf } from './send.ts';
import type { Kept, Store } from './store.ts';
import type { EventType, Options, Tracker } from './tracker.ts';
import type { Who } from './who.ts';

export interface Surroundings {
  readonly store: Store;
  readonly who: Who;
  readonly post: Post;
  /** See `SenderOptions`. */
  readonly beatMs: number;
  /** Nothing is tracked unless somebody has opted in. */
  readonly isOffByDefault: boolean;
  /** What is known of the page that is open. */
  readonly page: () => Partial<Events['page_view']>;
}

export interface Tracking {
  readonly tracker: Tracker;
  readonly sender: Sender;
  /** The page is left or hidden: the last moment to track, then what waits goes out. `forGood`: perhaps nothing runs after it. */
  leave(beacon: (body: string) => boolean, forGood: boolean): void;
}

const warn = (event: unknown, why: string): void => console.warn('ugc: dropped', why, event);

export function trackingOf(options: Options, surroundings: Surroundings): Tracking {
  const { common, batchEvents = 50, batchMs = 1_000, queueEvents = 1_000, onDropped = warn } = options;
  const { store, who, post, beatMs, isOffByDefault, page } = surroundings;
  const now = () => performance.now();
  const tell = (event: unknown, why: string): void => {
    try {
      onDropped(event, why);
    } catch (error) {
      console.error(error);
    }
  };
  const drop = ({ json }: Kept, why: string) => tell(JSON.parse(json), why);
  const queue = queueOf({ store, eventsMax: queueEvents, drop });
  const sender = senderOf({ queue, post, drop, batchEvents, batchMs, beatMs, now });
  const listeners = new Set<() => void>();

  function track<T extends EventType>(type: T, fields: Events[T]): string {
    if (!(who.choice ?? !isOffByDefault)) return '';
    const id = uuidv7(Date.now());
    const { properties, ...known } = who.fields();
    const event = {
      event_type: type,
      event_id: id,
      timestamp: new Date().toISOString(),
      ...known,
      ...common,
      ...fields,
      ...(properties && { properties: { ...properties, ...fields.properties } }),
    };
    try {
      queue.add({ id, json: JSON.stringify(event) });
    } catch {
      tell(event, 'not_json');
      return '';
    }
    sender.added();
    return event.event_id;
  }

  const tracker: Tracker = {
    track,
    page: fields => track('page_view', { ...page(), ...fields } as Events['page_view']),
    identify(userId, traits) {
      if (who.setUser(userId) || traits) track('user_identified', { traits: traits ?? {} });
    },
    reset: who.reset,
    flush: sender.flush,
    optOut() {
      queue.clear();
      who.choose(false);
    },
    optIn: () => who.choose(true),
    get sessionId() {
      return who.sessionId;
    },
    onLeave(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    now,
  };
  return {
    tracker,
    sender,
    leave(beacon, forGood) {
      for (const listener of listeners) listener();
      sender.leave(beacon);
      if (forGood) queue.release();
    },
  };
}
