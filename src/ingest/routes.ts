// The routes of events and receipts.

import type { Handler, Route } from '../http/route.ts';
import type { Accept } from './accept.ts';
import { ackOf } from './ack.ts';
import { type OriginOptions, originOf } from './origin.ts';
import { pixelRoute } from './pixel.ts';
import { readEvents } from './read.ts';
import type { Meaning, Reading, ReadLimits } from './reading.ts';
import type { Receipts } from './receipts.ts';
import type { Rejections } from './rejections.ts';

export interface EventRoutesOptions extends Pick<Meaning, 'typeOf'>, OriginOptions {
  readonly accept: Accept;
  readonly receipts: Receipts;
  readonly rejections?: Pick<Rejections, 'noteBody'> | null;
  readonly limits: ReadLimits;
}

export function eventRoutes({
  accept,
  receipts,
  rejections,
  limits,
  typeOf,
  clock,
  clients,
}: EventRoutesOptions): readonly Route[] {
  const reading = { limits, typeOf, now: clock.now };
  const handler: Handler = async call => {
    const ack = ackOf(call.request.url);
    let read: Reading;
    try {
      read = await readEvents(call, reading);
    } catch (error) {
      rejections?.noteBody(error, call.caller.name);
      throw error;
    }
    call.caller.spend?.(read.events.length - 1);
    return accept(read, originOf(call, read, { clock, clients }), ack);
  };
  return [
    { method: 'POST', path: '/v1/events', needs: 'events:write', handler },
    { method: 'POST', path: '/v1/events/:event_type', needs: 'events:write', handler },
    pixelRoute({ accept, rejections, typeOf, clock, clients }),
    {
      method: 'GET',
      path: '/v1/receipts/:event_id',
      needs: 'events:read',
      handler: ({ params }) => receipts(params.event_id ?? ''),
    },
  ];
}
