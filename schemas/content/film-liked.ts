import { defineEvent } from '../event.ts';
import { numbered, text } from '../field.ts';
import { revision } from '../revision.ts';

export const filmLiked = defineEvent({
  name: 'film_liked',
  family: 'content',
  stream: 'content',
  version: 1,
  summary: 'A user likes or dislikes a film, for the first time or instead of the opposite',
  fields: {
    film_id: text({ about: 'The film', lengthMax: 256 }),
    value: numbered({ about: 'Which', words: { [-1]: 'dislike', 1: 'like' } }),
    revision,
  },
  example: {
    event_type: 'film_liked',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: '956939f6-7a98-4bf1-9949-500e5dd20fa0',
    film_id: '8bcb67fe-bde6-4645-af85-6664a9298b8c',
    value: 1,
  },
});
