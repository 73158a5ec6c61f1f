import { defineEvent } from '../event.ts';
import { text } from '../field.ts';

export const searching = defineEvent({
  name: 'searching',
  aliases: ['Searching'],
  family: 'marketplace',
  stream: 'event',
  version: 1,
  summary: 'The search was used',
  fields: {
    query: text({ about: 'What was searched for', lengthMax: 4096 }),
  },
  example: {
    event_type: 'Searching',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: 1_234_567,
    query: 'red shoes',
  },
});
