import { defineEvent } from '../event.ts';
import { int64 } from '../field.ts';

export const cartDelete = defineEvent({
  name: 'cart_delete',
  aliases: ['CartDelete'],
  family: 'marketplace',
  stream: 'event',
  version: 1,
  summary: 'An item was taken out of the cart',
  fields: {
    item_id: int64({ about: 'The item taken out' }),
  },
  example: {
    event_type: 'CartDelete',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: 1_234_567,
    item_id: 815,
  },
});
