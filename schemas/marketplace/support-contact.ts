import { defineEvent } from '../event.ts';
import { numbered } from '../field.ts';

export const supportContact = defineEvent({
  name: 'support_contact',
  aliases: ['SupportContact'],
  family: 'marketplace',
  stream: 'event',
  version: 1,
  summary: 'A user turned to the support',
  fields: {
    support_type: numbered({ about: 'By which way', words: { 1: 'email', 2: 'call', 3: 'chat' } }),
  },
  example: {
    event_type: 'SupportContact',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: 1_234_567,
    support_type: 3,
  },
});
