// The SDK in a page, without what tracks by itself. It hears of leaving by `visibilitychange` and `pagehide` alone: `unload` would
// keep the page out of the back/forward cache.

import { gzipped } from './gzip.ts';
import type { Post } from './send.ts';
import { leaseMs, storeOf } from './store.ts';
import type { Options, Tracker } from './tracker.ts';
import { trackingOf } from './tracking.ts';
import { tried } from './tried.ts';
import { whoOf } from './who.ts';

export type * from './tracker.ts';

const timeoutMs = 30_000;
/** Below it a body goes as it is. */
const gzipCharsMin = 1_024;

export function init(options: Options): Tracker {
  const { url, key, automatic = [], store, remember, consent, respectDnt } = options;
  // Where the browser refuses one, even to look at it throws.
  const isKept = store !== 'memory';
  const local = isKept && tried(() => localStorage);
  const { globalPrivacyControl, doNotTrack } = navigator as Navigator & { readonly globalPrivacyControl?: boolean };
  const target = `${url.replace(/\/$/, '')}/v1/events${key ? `?key=${key}` : ''}`;
  const { tracker, beat, leave } = trackingOf(options, {
    store: storeOf(local, url, Date.now),
    who: whoOf({
      storage: remember ? local : isKept && tried(() => sessionStorage),
      choices: local,
      remember,
      // Of a script tag consent is text.
      isOffByDefault:
        `${consent}` === 'false' || (respectDnt !== false && (globalPrivacyControl || doNotTrack === '1')),
      now: Date.now,
    }),
    post: postTo(target),
    page: () => ({ page_url: location.href.replace(/#.*/, ''), referrer_url: document.referrer || null }),
  });

  const beacon = (body: string) => tried(() => navigator.sendBeacon(target, body));
  const flush = () => void tracker.flush();
  const go = () => leave(beacon, true);
  // Twice: where Firefox closes a tab it may stop the first script that runs in it, and no other.
  addEventListener('pagehide', go);
  addEventListener('pagehide', go, true);
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) leave(beacon, false);
    else flush();
  });
  addEventListener('pageshow', flush); // also out of the back/forward cache
  addEventListener('online', flush);
  if (local) setInterval(beat, leaseMs / 2);
  flush();
  for (const begin of automatic) begin(tracker);
  return tracker;
}

/** As text, which asks no other origin before; compressed where the header that says so asks nobody either. */
const postTo = (target: string): Post => {
  const isOwn = new URL(target, location.href).origin === location.origin;
  return async (text, keepalive) => {
    const isGzip = isOwn && !keepalive && text.length > gzipCharsMin && window.CompressionStream;
    return fetch(target, {
      method: 'POST',
      keepalive,
      signal: AbortSignal.timeout(timeoutMs),
      body: isGzip ? await gzipped(text) : text,
      ...(isGzip && { headers: { 'content-encoding': 'gzip' } }),
    });
  };
};
