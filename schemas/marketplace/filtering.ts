import { defineEvent } from '../event.ts';
import { amount, orNull } from '../field.ts';

export const filtering = defineEvent({
  name: 'filtering',
  aliases: ['Filtering'],
  family: 'marketplace',
  stream: 'event',
  version: 1,
  summary: 'Filters and sorting were applied to a search',
  fields: {
    price_min: orNull(amount({ about: 'Lowest price' })),
    price_max: orNull(amount({ about: 'Highest price' })),
    rating_min: orNull(amount({ about: 'Lowest rating' })),
    rating_max: orNull(amount({ about: 'Highest rating' })),
  },
  example: {
    event_type: 'Filtering',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: 1_234_567,
    price_min: 99.5,
    price_max: 1_500,
    rating_min: 4,
    rating_max: null,
  },
});
