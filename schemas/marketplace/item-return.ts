import { defineEvent } from '../event.ts';
import { int64, numbered, textOrNull } from '../field.ts';

export const itemReturn = defineEvent({
  name: 'item_return',
  aliases: ['ItemReturn'],
  family: 'marketplace',
  stream: 'event',
  version: 1,
  summary: 'An item was returned',
  fields: {
    item_id: int64({ about: 'The item returned' }),
    order_id: int64({ about: 'The order it belongs to' }),
    reason_type: numbered({
      about: 'Why; of 0 reason_user_message tells',
      words: { 0: 'other', 1: 'defective', 2: 'expired', 3: 'wrong_size', 4: 'low_quality' },
    }),
    reason_user_message: textOrNull({ about: 'What the user says about the reason', lengthMax: 10_000 }),
  },
  example: {
    event_type: 'ItemReturn',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: 1_234_567,
    item_id: 815,
    order_id: 31337,
    reason_type: 0,
    reason_user_message: 'The colour is another one',
  },
});
