import { defineEvent } from '../event.ts';
import { numbered } from '../field.ts';

export const loggingIn = defineEvent({
  name: 'logging_in',
  aliases: ['LoggingIn'],
  family: 'marketplace',
  stream: 'event',
  version: 1,
  summary: 'A user logged in',
  fields: {
    login_type: numbered({
      about: 'How',
      words: { 0: 'email_password', 1: 'phone_code', 2: 'external_service' },
    }),
  },
  example: {
    event_type: 'LoggingIn',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: 1_234_567,
    login_type: 1,
  },
});
