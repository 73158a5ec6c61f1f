// When an event happened, by the server's clock.

import { type ClientTime, readTime } from '../../schemas/time.ts';
import type { Origin } from './origin.ts';

export const clockOf = ({ clockMs, receivedAtMs }: Origin): number => clockMs ?? receivedAtMs;

/** A clock this far behind may be transit or a slow network; further, it is wrong and corrected by sent_at. */
const transitMsMax = 60_000;

/**
 * When it happened, by the server's clock. A client's clock that is ahead, or behind by more than transit explains, is
 * corrected by the difference between sending and receiving. Without a timestamp it happened when it was sent.
 */
export function happenedAt(timestamp: unknown, sent: ClientTime | null, origin: Origin): ClientTime | null {
  const skewMs = sent === null || origin.wasJudged === true ? 0 : clockOf(origin) - sent.ms;
  const isSkewed = skewMs < 0 || skewMs > transitMsMax;
  const said = timestamp === undefined && sent !== null ? sent : readTime(timestamp);
  return said === null || !isSkewed ? said : { ms: said.ms + skewMs, iso: null };
}
