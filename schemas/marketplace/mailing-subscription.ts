import { defineEvent } from '../event.ts';
import { numbered } from '../field.ts';

export const mailingSubscription = defineEvent({
  name: 'mailing_subscription',
  aliases: ['MailingSubscription'],
  family: 'marketplace',
  stream: 'event',
  version: 1,
  summary: 'A user subscribed to a mailing',
  fields: {
    subscription_type: numbered({
      about: 'To what',
      words: { 1: 'all', 2: 'item_promotions', 3: 'themed_sales' },
    }),
  },
  example: {
    event_type: 'MailingSubscription',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: 1_234_567,
    subscription_type: 2,
  },
});
