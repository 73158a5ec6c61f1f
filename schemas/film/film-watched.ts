import { defineEvent } from '../event.ts';
import { amount, text } from '../field.ts';

export const filmWatched = defineEvent({
  name: 'film_watched',
  aliases: ['video_complete'],
  family: 'film',
  stream: 'event',
  version: 1,
  summary: 'A film was watched to its end',
  fields: {
    video_id: text({ about: 'The video', lengthMax: 256 }),
    duration: amount({ about: 'Length of the video', unit: 'seconds' }),
  },
  example: {
    event_type: 'video_complete',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: '956939f6-7a98-4bf1-9949-500e5dd20fa0',
    country: 'US',
    device: 'mobile',
    video_id: '8bcb67fe-bde6-4645-af85-6664a9298b8c',
    duration: 3660,
  },
});
