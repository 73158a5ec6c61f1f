import { defineEvent } from '../event.ts';
import { text, uuid, whole } from '../field.ts';
import { revision } from '../revision.ts';

export const reviewPosted = defineEvent({
  name: 'review_posted',
  family: 'content',
  stream: 'content',
  version: 1,
  summary: 'A user reviewed a film',
  fields: {
    review_id: uuid({ about: 'The review' }),
    film_id: text({ about: 'The film', lengthMax: 256 }),
    rating: whole({ about: 'What the user gives the film', min: 1, max: 10 }),
    text: text({ about: 'The review itself', lengthMax: 10_000 }),
    revision,
  },
  example: {
    event_type: 'review_posted',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: '956939f6-7a98-4bf1-9949-500e5dd20fa0',
    review_id: '01927a3e-5c1b-7d2f-9e4a-3b6c8d0f1a2e',
    film_id: '8bcb67fe-bde6-4645-af85-6664a9298b8c',
    rating: 8,
    text: 'Long, and not a minute too long.',
  },
});
