import { defineEvent } from '../event.ts';
import { int64 } from '../field.ts';

export const pageVisit = defineEvent({
  name: 'page_visit',
  aliases: ['PageVisit'],
  family: 'marketplace',
  stream: 'view',
  version: 1,
  summary: 'A product’s page was looked at',
  fields: {
    page_id: int64({ about: 'The page' }),
  },
  example: {
    event_type: 'PageVisit',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: 1_234_567,
    page_id: 4711,
  },
});
