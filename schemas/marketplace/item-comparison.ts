import { defineEvent } from '../event.ts';
import { int64, numbered } from '../field.ts';

export const itemComparison = defineEvent({
  name: 'item_comparison',
  aliases: ['ItemComparison'],
  family: 'marketplace',
  stream: 'event',
  version: 1,
  summary: 'Two items were compared',
  fields: {
    first_item_id: int64({ about: 'One item' }),
    second_item_id: int64({ about: 'The other item' }),
    comparison_type: numbered({
      about: 'By what',
      words: { 0: 'other_or_all', 1: 'price', 2: 'characteristics', 3: 'delivery_date' },
    }),
  },
  example: {
    event_type: 'ItemComparison',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: 1_234_567,
    first_item_id: 815,
    second_item_id: 816,
    comparison_type: 1,
  },
});
