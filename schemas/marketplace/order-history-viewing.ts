import { defineEvent } from '../event.ts';
import { amount } from '../field.ts';

export const orderHistoryViewing = defineEvent({
  name: 'order_history_viewing',
  aliases: ['OrderHistoryViewing'],
  family: 'marketplace',
  stream: 'view',
  version: 1,
  summary: 'Earlier orders and their states were looked at',
  fields: {
    duration_seconds: amount({ about: 'Time spent on them', unit: 'seconds' }),
  },
  example: {
    event_type: 'OrderHistoryViewing',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: 1_234_567,
    duration_seconds: 33.5,
  },
});
