import { defineEvent } from '../event.ts';
import { int64 } from '../field.ts';

export const saleParticipation = defineEvent({
  name: 'sale_participation',
  aliases: ['SaleParticipation'],
  family: 'marketplace',
  stream: 'event',
  version: 1,
  summary: 'An item was bought in a sale',
  fields: {
    sale_id: int64({ about: 'The sale' }),
    item_id: int64({ about: 'The item bought' }),
  },
  example: {
    event_type: 'SaleParticipation',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: 1_234_567,
    sale_id: 5,
    item_id: 815,
  },
});
