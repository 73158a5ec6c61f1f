import { defineEvent } from '../event.ts';
import { text } from '../field.ts';

export const click = defineEvent({
  name: 'click',
  family: 'film',
  stream: 'event',
  version: 1,
  summary: 'A click on an element of the page: a film, a trailer, a person, a button',
  fields: {
    element: text({ about: 'What was clicked, e.g. button_submit' }),
    page_url: text({ about: 'Address of the page', lengthMax: 8192 }),
  },
  example: {
    event_type: 'click',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: '956939f6-7a98-4bf1-9949-500e5dd20fa0',
    country: 'US',
    device: 'mobile',
    element: 'button_submit',
    page_url: 'https://example.com/submit',
  },
});
