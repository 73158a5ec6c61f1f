import { defineEvent } from '../event.ts';
import { int64 } from '../field.ts';

export const reviewReview = defineEvent({
  name: 'review_review',
  aliases: ['ReviewReview'],
  family: 'marketplace',
  stream: 'view',
  version: 1,
  summary: 'A review was read',
  fields: {
    review_id: int64({ about: 'The review' }),
  },
  example: {
    event_type: 'ReviewReview',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: 1_234_567,
    review_id: 77,
  },
});
