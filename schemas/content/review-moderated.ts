import { defineEvent } from '../event.ts';
import { choice, text, uuid } from '../field.ts';
import { revision } from '../revision.ts';

export const reviewModerated = defineEvent({
  name: 'review_moderated',
  family: 'content',
  stream: 'content',
  version: 1,
  summary: 'A moderator decided on a review; the user of the event is the moderator',
  fields: {
    review_id: uuid({ about: 'The review' }),
    film_id: text({ about: 'The film', lengthMax: 256 }),
    state: choice({ about: 'What it is from now on', of: ['pending', 'approved', 'rejected', 'spam'] }),
    revision,
  },
  example: {
    event_type: 'review_moderated',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: '956939f6-7a98-4bf1-9949-500e5dd20fa0',
    review_id: '01927a3e-5c1b-7d2f-9e4a-3b6c8d0f1a2e',
    film_id: '8bcb67fe-bde6-4645-af85-6664a9298b8c',
    state: 'approved',
  },
});
