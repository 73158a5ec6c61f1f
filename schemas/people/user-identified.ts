import { defineEvent } from '../event.ts';
import { freeObject } from '../field.ts';

export const userIdentified = defineEvent({
  name: 'user_identified',
  family: 'people',
  stream: 'event',
  version: 1,
  summary: 'Who a visitor is, and what is known of them',
  fields: {
    traits: freeObject({ about: 'What is known: name, e-mail, plan' }),
  },
  example: {
    event_type: 'user_identified',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: '956939f6-7a98-4bf1-9949-500e5dd20fa0',
    anonymous_id: 'a-1',
    traits: { plan: 'family' },
  },
});
