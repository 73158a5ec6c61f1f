import { defineEvent } from '../event.ts';
import { text } from '../field.ts';

export const searchFilterUse = defineEvent({
  name: 'search_filter_use',
  family: 'film',
  stream: 'event',
  version: 1,
  summary: 'A filter was used in the search',
  fields: {
    filter_type: text({ about: 'Which filter, e.g. title', lengthMax: 128, fewValues: true }),
    filter_value: text({ about: 'What was looked for' }),
  },
  example: {
    event_type: 'search_filter_use',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: '956939f6-7a98-4bf1-9949-500e5dd20fa0',
    country: 'US',
    device: 'mobile',
    filter_type: 'title',
    filter_value: 'the star',
  },
});
