import { defineEvent } from '../event.ts';
import { text } from '../field.ts';

export const userAliased = defineEvent({
  name: 'user_aliased',
  family: 'people',
  stream: 'event',
  version: 1,
  summary: 'Two ids are of one person',
  fields: {
    previous_id: text({ about: 'The id until now', lengthMax: 256 }),
  },
  example: {
    event_type: 'user_aliased',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: '956939f6-7a98-4bf1-9949-500e5dd20fa0',
    previous_id: 'a-1',
  },
});
