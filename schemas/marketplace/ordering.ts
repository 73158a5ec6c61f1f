import { defineEvent } from '../event.ts';
import { int64 } from '../field.ts';

export const ordering = defineEvent({
  name: 'ordering',
  aliases: ['Ordering'],
  family: 'marketplace',
  stream: 'event',
  version: 1,
  summary: 'An order was placed',
  fields: {
    order_id: int64({ about: 'The order' }),
  },
  example: {
    event_type: 'Ordering',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: 1_234_567,
    order_id: '9223372036854775807',
  },
});
