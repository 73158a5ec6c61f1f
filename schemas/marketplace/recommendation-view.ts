import { defineEvent } from '../event.ts';
import { amount } from '../field.ts';

export const recommendationView = defineEvent({
  name: 'recommendation_view',
  aliases: ['RecommendationView'],
  family: 'marketplace',
  stream: 'view',
  version: 1,
  summary: 'Recommendations were looked at',
  fields: {
    duration_seconds: amount({ about: 'Time spent on them', unit: 'seconds' }),
  },
  example: {
    event_type: 'RecommendationView',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: 1_234_567,
    duration_seconds: 12.75,
  },
});
