import { defineEvent } from '../event.ts';

export const registering = defineEvent({
  name: 'registering',
  aliases: ['Registering'],
  family: 'marketplace',
  stream: 'event',
  version: 1,
  summary: 'A user registered',
  fields: {},
  example: {
    event_type: 'Registering',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: 1_234_567,
  },
});
