import { defineEvent } from '../event.ts';
import { text, textOrNull } from '../field.ts';

export const pageView = defineEvent({
  name: 'page_view',
  family: 'film',
  stream: 'view',
  version: 1,
  summary: 'A page was opened',
  fields: {
    page_url: text({ about: 'Address of the page', lengthMax: 8192 }),
    referrer_url: textOrNull({ about: 'Where the user came from, or null', lengthMax: 8192 }),
  },
  example: {
    event_type: 'page_view',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: '956939f6-7a98-4bf1-9949-500e5dd20fa0',
    country: 'US',
    device: 'mobile',
    page_url: 'https://example.com/submit',
    referrer_url: 'https://example.com/redirect',
  },
});
