// The SDK in a program: Node, Bun, Deno, workers. What waits is in memory alone, so a program calls `flush` before it ends.
// The key goes in a header, where no log of addresses has it.

import { gzipped } from './gzip.ts';
import { storeOf } from './store.ts';
import type { Options, Tracker } from './tracker.ts';
import { trackingOf } from './tracking.ts';
import type { Who } from './who.ts';

export type * from './tracker.ts';

const timeoutMs = 30_000;
/** Below it a body goes as it is. */
const gzipCharsMin = 1_024;

/** What a program sends is of whom each event says: give `user_id` or `anonymous_id` with it. */
export function init(options: Options): Tracker {
  const { url, key, automatic = [], consent } = options;
  const target = `${url.replace(/\/$/, '')}/v1/events`;
  const { tracker } = trackingOf(options, {
    store: storeOf(undefined, url, Date.now),
    who: nobody(consent !== false),
    page: () => ({}),
    async post(text) {
      const isGzip = text.length > gzipCharsMin && typeof CompressionStream === 'function';
      return fetch(target, {
        method: 'POST',
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          'content-type': 'application/json',
          ...(key && { authorization: `Bearer ${key}` }),
          ...(isGzip && { 'content-encoding': 'gzip' }),
        },
        body: isGzip ? await gzipped(text) : text,
      });
    },
  });
  for (const begin of automatic) begin(tracker);
  return tracker;
}

/** A program serves many: it remembers none of them. */
function nobody(isIn: boolean): Who {
  let isOn = isIn;
  return {
    known: () => ({}),
    setUser: () => true,
    reset: () => {},
    isOn: () => isOn,
    choose(choice) {
      isOn = choice;
    },
  };
}
