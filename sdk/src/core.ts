// The SDK in a page, without what tracks by itself. It hears of leaving by `visibilitychange` and `pagehide` alone: `unload` would
// keep the page out of the back/forward cache.

import type { Answered, Post } from './send.ts';
import { diskStore, leaseMs, memoryStore } from './store.ts';
import type { Options, Tracker } from './tracker.ts';
import { trackingOf } from './tracking.ts';
import { whoOf } from './who.ts';

export type * from './tracker.ts';

const timeoutMs = 30_000;
/** Below it a body goes as it is. */
const gzipCharsMin = 1_024;

export function init(options: Options): Tracker {
  const { url, key, automatic = [], store = 'local', remember = false, consent = true, respectDnt = true } = options;
  const isLocal = store === 'local';
  const local = storageOf('localStorage');
  const { globalPrivacyControl, doNotTrack } = navigator as {
    globalPrivacyControl?: boolean;
    doNotTrack?: string | null;
  };
  const target = new URL(`/v1/events${key ? `?key=${encodeURIComponent(key)}` : ''}`, url).href;
  const { tracker, sender, leave } = trackingOf(options, {
    store: isLocal && local ? diskStore(local, url, Date.now) : memoryStore,
    who: whoOf({
      session: isLocal ? storageOf('sessionStorage') : null,
      local: isLocal ? local : null,
      remember,
      now: Date.now,
    }),
    post: postTo(target),
    beatMs: isLocal && local ? leaseMs / 2 : 0,
    isOffByDefault: !consent || (respectDnt && (globalPrivacyControl === true || doNotTrack === '1')),
    page: () => ({ page_url: location.href, referrer_url: document.referrer || null }),
  });

  const beacon = (body: string): boolean => !!navigator.sendBeacon?.(target, body);
  addEventListener('pagehide', () => leave(beacon, true));
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') leave(beacon, false);
    else void sender.flush();
  });
  // Back from the back/forward cache, or on line again.
  for (const type of ['pageshow', 'online']) addEventListener(type, () => void sender.flush());
  sender.added(); // what a page that is gone has left may have to wait for
  void sender.flush();
  for (const begin of automatic) begin(tracker);
  return tracker;
}

/** Null where the browser refuses it: even to look at it may throw. */
function storageOf(name: 'localStorage' | 'sessionStorage'): Storage | null {
  try {
    return window[name];
  } catch {
    return null;
  }
}

/** As text, which asks no other origin before; compressed where the header that says so asks nobody either. */
const postTo = (target: string): Post => {
  const isOwn = target.startsWith(`${location.origin}/`);
  return async (body, keepalive) => {
    const isGzip = isOwn && !keepalive && body.length > gzipCharsMin && 'CompressionStream' in window;
    const answer = await fetch(target, {
      method: 'POST',
      keepalive,
      signal: AbortSignal.timeout(timeoutMs),
      ...(isGzip
        ? { body: await gzipped(body), headers: { 'content-type': 'text/plain', 'content-encoding': 'gzip' } }
        : { body }),
    });
    return answeredBy(answer);
  };
};

export const gzipped = (body: string): Promise<ArrayBuffer> =>
  new Response(new Blob([body]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer();

export const answeredBy = async (answer: Response): Promise<Answered> => ({
  status: answer.status,
  body: await answer.json().catch(() => null),
  retryAfter: answer.headers.get('retry-after'),
});
