import { defineEvent } from '../event.ts';
import { int64 } from '../field.ts';

export const orderCancel = defineEvent({
  name: 'order_cancel',
  aliases: ['OrderCancel'],
  family: 'marketplace',
  stream: 'event',
  version: 1,
  summary: 'An order was cancelled',
  fields: {
    order_id: int64({ about: 'The order cancelled' }),
  },
  example: {
    event_type: 'OrderCancel',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: 1_234_567,
    order_id: 31337,
  },
});
