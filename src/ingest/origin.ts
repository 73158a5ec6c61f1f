// What is known of where the events of a request come from, whatever they came in.

import type { Origin } from '../catalogue/origin.ts';
import type { Call } from '../http/route.ts';
import type { Clock } from '../process/clock.ts';
import type { Clients } from './client/client.ts';
import type { Reading } from './reading.ts';

const userAgentLengthMax = 1024;

export interface OriginOptions {
  /** When a request has come. */
  readonly clock: Pick<Clock, 'stamp' | 'now'>;
  /** Absent = nothing else is known of who sends than what it says. */
  readonly clients?: Clients | undefined;
}

/** Once the body is there: then the request has come. */
export function originOf(
  call: Call,
  { sentAt, isPlain }: Pick<Reading, 'sentAt' | 'isPlain'>,
  { clock, clients }: OriginOptions,
): Origin {
  const { request, params, address, caller, trace } = call;
  const origin = {
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
    trace,
  };
  return clients === undefined ? origin : clients(call, origin);
}
