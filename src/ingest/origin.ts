// What is known of where the events of a request come from, whatever they came in.

import type { Origin } from '../catalogue/judge.ts';
import type { Call } from '../http/route.ts';
import type { Clock } from '../process/clock.ts';
import type { Reading } from './reading.ts';

const userAgentLengthMax = 1024;

/** Once the body is there: then the request has come. */
export const originOf = (
  { request, params, address, caller }: Call,
  { sentAt, isPlain }: Reading,
  clock: Pick<Clock, 'stamp' | 'now'>,
): Origin => ({
  receivedAtMs: clock.stamp(),
  clockMs: clock.now(),
  source: caller.name,
  eventTypes: caller.eventTypes,
  userId: caller.userId,
  ip: address,
  userAgent: (request.headers.get('user-agent') ?? '').slice(0, userAgentLengthMax),
  pathType: params.event_type ?? null,
  sentAt,
  isPlain: isPlain === true,
});
