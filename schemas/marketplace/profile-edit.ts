import { defineEvent } from '../event.ts';

export const profileEdit = defineEvent({
  name: 'profile_edit',
  aliases: ['ProfileEdit'],
  family: 'marketplace',
  stream: 'event',
  version: 1,
  summary: 'A user changed the profile',
  fields: {},
  example: {
    event_type: 'ProfileEdit',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: 1_234_567,
  },
});
