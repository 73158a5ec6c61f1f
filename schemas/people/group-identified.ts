import { defineEvent } from '../event.ts';
import { freeObject, text } from '../field.ts';

export const groupIdentified = defineEvent({
  name: 'group_identified',
  family: 'people',
  stream: 'event',
  version: 1,
  summary: 'Which group a user belongs to, as a company or a household, and what is known of it',
  fields: {
    group_id: text({ about: 'The group', lengthMax: 256 }),
    traits: freeObject({ about: 'What is known of it: name, plan' }),
  },
  example: {
    event_type: 'group_identified',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: '956939f6-7a98-4bf1-9949-500e5dd20fa0',
    group_id: 'household-7',
    traits: { plan: 'family' },
  },
});
