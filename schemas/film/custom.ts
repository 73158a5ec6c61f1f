import { defineEvent } from '../event.ts';
import { text } from '../field.ts';

export const custom = defineEvent({
  name: 'custom',
  family: 'film',
  stream: 'event',
  version: 1,
  summary: 'Anything that is no type of its own: a name, and properties as key and value',
  fields: {
    name: text({ about: 'What happened, e.g. trailer_muted', lengthMax: 256, fewValues: true }),
  },
  example: {
    event_type: 'custom',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: '956939f6-7a98-4bf1-9949-500e5dd20fa0',
    country: 'US',
    device: 'mobile',
    name: 'trailer_muted',
    properties: { volume: 0, source: 'keyboard', tags: ['trailer', 'autoplay'] },
  },
});
