import { defineEvent } from '../event.ts';
import { int64, orNull } from '../field.ts';

export const categoryView = defineEvent({
  name: 'category_view',
  aliases: ['CategoryView'],
  family: 'marketplace',
  stream: 'view',
  version: 1,
  summary: 'A category was opened',
  fields: {
    category_id: int64({ about: 'The category opened' }),
    parent_category_id: orNull(int64({ about: 'The category the user came from, or null' })),
  },
  example: {
    event_type: 'CategoryView',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: 1_234_567,
    category_id: 12,
    parent_category_id: null,
  },
});
