// Origins whose pages may send: those of UGC_CORS_ORIGINS, and those the API keys name. Which key a page then shows is another
// matter, and asked of the request itself: what a browser asks before it sends carries none.

import type { CrossOrigin } from '../http/cross-origin.ts';
import { admitsOrigin } from '../process/origin.ts';

export interface CrossOriginOptions {
  readonly origins: readonly string[];
  /** Of keys, as they are just now: another list once they have changed. */
  readonly ofKeys?: () => readonly string[];
  readonly credentials: boolean;
}

/** Origins whose headers are kept made. */
const rememberedMax = 10_000;

const none = (): readonly string[] => [];

export function crossOriginOf({ origins, ofKeys = none, credentials }: CrossOriginOptions): CrossOrigin {
  let ofKeysThen = ofKeys();
  let remembered = new Map<string, Readonly<Record<string, string>>>();
  return {
    headersFor(origin) {
      const ofKeysNow = ofKeys();
      if (ofKeysNow !== ofKeysThen) {
        ofKeysThen = ofKeysNow;
        remembered = new Map();
      }
      const known = remembered.get(origin);
      if (known !== undefined) return known;
      if (!admitsOrigin(origins, origin) && !admitsOrigin(ofKeysNow, origin)) return null;
      const headers = {
        // Named, never `*`: with credentials a browser takes nothing else, and it shows in a log which page it was.
        'access-control-allow-origin': origin,
        ...(credentials && { 'access-control-allow-credentials': 'true' }),
      };
      if (remembered.size < rememberedMax) remembered.set(origin, headers);
      return headers;
    },
  };
}
