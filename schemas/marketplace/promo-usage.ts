import { defineEvent } from '../event.ts';
import { int64 } from '../field.ts';

export const promoUsage = defineEvent({
  name: 'promo_usage',
  aliases: ['PromoUsage'],
  family: 'marketplace',
  stream: 'event',
  version: 1,
  summary: 'A coupon was used for an order',
  fields: {
    coupon_id: int64({ about: 'The coupon' }),
    order_id: int64({ about: 'The order it is for' }),
  },
  example: {
    event_type: 'PromoUsage',
    timestamp: '2024-10-03T14:30:00Z',
    user_id: 1_234_567,
    coupon_id: 2024,
    order_id: 31337,
  },
});
