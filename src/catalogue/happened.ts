// When an event happened, by the server's clock.

import { type ClientTime, readTime } from '../../schemas/time.ts';
import type { Origin } from './origin.ts';

export const clockOf = ({ clockMs, receivedAtMs }: Origin): number => clockMs ?? receivedAtMs;

/** A clock this far behind may be transit or a slow network; further, it is wrong and corrected by sent_at. */
const transitMsMax = 60_000;

/**
 * What the times of an event are corrected by, in ms; 0 = they are not. A client's clock that is ahead, or behind by more
 * than transit explains, is corrected by the difference between sending and receiving.
 */
export function skewOf(sent: ClientTime | null, origin: Origin): number {
  if (sent === null || origin.wasJudged === true) return 0;
  const skewMs = clockOf(origin) - sent.ms;
  return skewMs < 0 || skewMs > transitMsMax ? skewMs : 0;
}

/** Without a timestamp it happened when it was sent; null for a timestamp that is none. */
export function happenedAt(timestamp: unknown, sent: ClientTime | null, skewMs: number): ClientTime | null {
  const said = timestamp === undefined && sent !== null ? sent : readTime(timestamp);
  return said === null || skewMs === 0 ? said : { ms: said.ms + skewMs, iso: null };
}
