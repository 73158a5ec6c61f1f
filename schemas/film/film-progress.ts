import { defineEvent } from '../event.ts';
import { amount, share, text } from '../field.ts';

export const filmProgress = defineEvent({
  name: 'film_progress',
  family: 'film',
  stream: 'view',
  version: 1,
  summary: 'Where the viewer of a film is, told now and then while it plays',
  fields: {
    video_id: text({ about: 'The video', lengthMax: 256 }),
    position: amount({ about: 'Where the viewer is', unit: 'seconds from the start' }),
    duration: amount({ about: 'Length of the video', unit: 'seconds' }),
    share: share({ about: 'Position as a part of the length' }),
  },
  example: {
    event_type: 'film_progress',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: '956939f6-7a98-4bf1-9949-500e5dd20fa0',
    country: 'US',
    device: 'mobile',
    video_id: '8bcb67fe-bde6-4645-af85-6664a9298b8c',
    position: 915.125,
    duration: 3660.5,
    share: 0.25,
  },
});
