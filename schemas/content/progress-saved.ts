import { defineEvent } from '../event.ts';
import { amount, text } from '../field.ts';
import { revision } from '../revision.ts';

export const progressSaved = defineEvent({
  name: 'progress_saved',
  family: 'content',
  stream: 'content',
  version: 1,
  summary: 'The place where a user stopped viewing was saved',
  fields: {
    film_id: text({ about: 'The film', lengthMax: 256 }),
    position: amount({ about: 'Where viewing stopped', unit: 'seconds from the start' }),
    duration: amount({ about: 'Length of the film', unit: 'seconds' }),
    revision,
  },
  example: {
    event_type: 'progress_saved',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: '956939f6-7a98-4bf1-9949-500e5dd20fa0',
    film_id: '8bcb67fe-bde6-4645-af85-6664a9298b8c',
    position: 1830.25,
    duration: 3660.5,
  },
});
