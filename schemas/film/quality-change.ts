import { defineEvent } from '../event.ts';
import { text, whole } from '../field.ts';

export const qualityChange = defineEvent({
  name: 'quality_change',
  family: 'film',
  stream: 'event',
  version: 1,
  summary: 'The quality of a video was changed while it played',
  fields: {
    video_id: text({ about: 'The video', lengthMax: 256 }),
    from_quality: text({ about: 'Quality before, e.g. 240p', lengthMax: 64, fewValues: true }),
    to_quality: text({ about: 'Quality after, e.g. 720p', lengthMax: 64, fewValues: true }),
    current_time: whole({ about: 'Position in the video, from its start', unit: 'seconds' }),
  },
  example: {
    event_type: 'quality_change',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: '956939f6-7a98-4bf1-9949-500e5dd20fa0',
    country: 'US',
    device: 'mobile',
    video_id: '8bcb67fe-bde6-4645-af85-6664a9298b8c',
    from_quality: '240p',
    to_quality: '720p',
    current_time: 3600,
  },
});
