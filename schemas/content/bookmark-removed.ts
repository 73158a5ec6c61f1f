import { defineEvent } from '../event.ts';
import { text } from '../field.ts';
import { revision } from '../revision.ts';

export const bookmarkRemoved = defineEvent({
  name: 'bookmark_removed',
  family: 'content',
  stream: 'content',
  version: 1,
  summary: 'A user took a film from the bookmarks',
  fields: {
    film_id: text({ about: 'The film', lengthMax: 256 }),
    revision,
  },
  example: {
    event_type: 'bookmark_removed',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: '956939f6-7a98-4bf1-9949-500e5dd20fa0',
    film_id: '8bcb67fe-bde6-4645-af85-6664a9298b8c',
  },
});
