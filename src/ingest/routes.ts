// The routes of events and receipts.

import type { Origin } from '../catalogue/judge.ts';
import type { Handler, Route } from '../http/route.ts';
import type { Clock } from '../process/clock.ts';
import type { Accept } from './accept.ts';
import { ackOf } from './ack.ts';
import { type ReadLimits, readEvents } from './read.ts';
import type { Receipts } from './receipts.ts';

export interface EventRoutesOptions {
  readonly accept: Accept;
  readonly receipts: Receipts;
  readonly limits: ReadLimits;
  /** When a request has come. */
  readonly clock: Pick<Clock, 'stamp' | 'now'>;
}

const userAgentLengthMax = 1024;

export function eventRoutes({ accept, receipts, limits, clock }: EventRoutesOptions): readonly Route[] {
  const handler: Handler = async ({ request, arrival, params, address, caller }) => {
    const ack = ackOf(request.url);
    const reading = await readEvents(request, limits, arrival);
    const origin: Origin = {
      receivedAtMs: clock.stamp(),
      clockMs: clock.now(),
      source: caller.name,
      eventTypes: caller.eventTypes,
      userId: caller.userId,
      ip: address,
      userAgent: (request.headers.get('user-agent') ?? '').slice(0, userAgentLengthMax),
      pathType: params.event_type ?? null,
      sentAt: reading.sentAt,
      isPlain: reading.isPlain === true,
    };
    return accept(reading, origin, ack);
  };
  return [
    { method: 'POST', path: '/v1/events', needs: 'events:write', handler },
    { method: 'POST', path: '/v1/events/:event_type', needs: 'events:write', handler },
    {
      method: 'GET',
      path: '/v1/receipts/:event_id',
      needs: 'events:read',
      handler: ({ params }) => receipts(params.event_id ?? ''),
    },
  ];
}
