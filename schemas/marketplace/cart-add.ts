import { defineEvent } from '../event.ts';
import { int64 } from '../field.ts';

export const cartAdd = defineEvent({
  name: 'cart_add',
  aliases: ['CartAdd'],
  family: 'marketplace',
  stream: 'event',
  version: 1,
  summary: 'An item was put into the cart',
  fields: {
    item_id: int64({ about: 'The item put in' }),
  },
  example: {
    event_type: 'CartAdd',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: 1_234_567,
    item_id: 9007199254740991,
  },
});
