// A tracker over what a page or a program has: makes events, keeps them, and has them sent.

import type { Events } from './events.ts';
import { uuidv7 } from './id.ts';
import { queueOf } from './queue.ts';
import { type Beacon, type Post, senderOf } from './send.ts';
import type { Kept, Store } from './store.ts';
import type { EventType, Options, Tracker } from './tracker.ts';
import { tried } from './tried.ts';
import type { Who } from './who.ts';

export interface Surroundings {
  readonly store: Store;
  readonly who: Who;
  readonly post: Post;
  /** What is known of the page that is open. */
  readonly page: () => Partial<Events['page_view']>;
}

export interface Tracking {
  readonly tracker: Tracker;
  /** Every few seconds: other pages are told that this one lives, and what they have left goes out. */
  beat(): void;
  /** The page is left or hidden: the last moment to track, then what waits goes out. `forGood`: perhaps nothing runs after it. */
  leave(beacon: Beacon, forGood: boolean): void;
}

export function trackingOf(options: Options, surroundings: Surroundings): Tracking {
  const { common, batchEvents = 50, batchMs = 1_000, queueEvents = 1_000, onDropped = console.warn } = options;
  const { store, who, post, page } = surroundings;
  const now = () => performance.now();
  /** Whatever the page does with it, the rest is sent. */
  const tell = (event: unknown, why: string) => tried(() => onDropped(event, why));
  const drop = ({ eventJson }: Kept, why: string) => tell(JSON.parse(eventJson), why);
  const queue = queueOf({ store, eventsMax: queueEvents, drop });
  const sender = senderOf({ queue, post, drop, batchEvents, batchMs, now });
  const listeners = new Set<() => void>();

  function track<T extends EventType>(type: T, fields: Events[T]): string {
    if (!who.isOn()) return '';
    const id = uuidv7(Date.now());
    const { session, visitor, user } = who.known();
    const event = {
      event_type: type,
      event_id: id,
      timestamp: new Date().toISOString(),
      user_id: user,
      anonymous_id: visitor ?? session,
      ...common,
      ...fields,
      properties: visitor ? { session_id: session, ...fields.properties } : fields.properties,
    };
    try {
      queue.add({ id, eventJson: JSON.stringify(event) });
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
      if (who.isOn() && (who.setUser(userId) || traits))
        track('user_identified', { user_id: userId, traits: traits ?? {} });
    },
    reset: who.reset,
    flush: sender.flush,
    optOut() {
      queue.clear();
      who.choose(false);
    },
    optIn: () => who.choose(true),
    get sessionId() {
      return (who.isOn() && who.known().session) || '';
    },
    onLeave(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    now,
  };
  return {
    tracker,
    beat() {
      queue.gather();
      sender.added();
    },
    leave(beacon, forGood) {
      listeners.forEach(tried);
      sender.leave(beacon);
      if (forGood) queue.release();
    },
  };
}
