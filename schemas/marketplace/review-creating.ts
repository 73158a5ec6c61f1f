import { defineEvent } from '../event.ts';
import { int64 } from '../field.ts';

export const reviewCreating = defineEvent({
  name: 'review_creating',
  aliases: ['ReviewCreating'],
  family: 'marketplace',
  stream: 'event',
  version: 1,
  summary: 'A review was written',
  fields: {
    review_id: int64({ about: 'The review written' }),
    item_id: int64({ about: 'The item it is about' }),
  },
  example: {
    event_type: 'ReviewCreating',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: 1_234_567,
    review_id: 78,
    item_id: 815,
  },
});
