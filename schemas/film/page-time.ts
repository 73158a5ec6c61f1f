import { defineEvent } from '../event.ts';
import { share, text, whole } from '../field.ts';

export const pageTime = defineEvent({
  name: 'page_time',
  family: 'film',
  stream: 'view',
  version: 1,
  summary: 'How long a page was looked at, told when it is left',
  fields: {
    page_url: text({ about: 'Address of the page', lengthMax: 8192 }),
    engaged_ms: whole({ about: 'Time in which the user did something with the page', unit: 'milliseconds' }),
    visible_ms: whole({ about: 'Time in which the page could be seen', unit: 'milliseconds' }),
    scroll_share: share({ about: 'The part of the page that was scrolled into view' }),
  },
  example: {
    event_type: 'page_time',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: '956939f6-7a98-4bf1-9949-500e5dd20fa0',
    country: 'US',
    device: 'mobile',
    page_url: 'https://example.com/film/42',
    engaged_ms: 41_300,
    visible_ms: 90_250,
    scroll_share: 0.75,
  },
});
