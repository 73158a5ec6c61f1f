import { defineEvent } from '../event.ts';
import { amount, text } from '../field.ts';

export const filmOpened = defineEvent({
  name: 'film_opened',
  family: 'film',
  stream: 'event',
  version: 1,
  summary: 'A film was opened in the player',
  fields: {
    video_id: text({ about: 'The video', lengthMax: 256 }),
    position: amount({ about: 'Where playing begins', unit: 'seconds from the start' }),
    duration: amount({ about: 'Length of the video', unit: 'seconds' }),
  },
  example: {
    event_type: 'film_opened',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: '956939f6-7a98-4bf1-9949-500e5dd20fa0',
    country: 'US',
    device: 'mobile',
    video_id: '8bcb67fe-bde6-4645-af85-6664a9298b8c',
    position: 0,
    duration: 3660.5,
  },
});
