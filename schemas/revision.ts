// Which change of a like, a bookmark, a review or a place an event tells of: the order of its events, whatever clocks say.

import { orNull, whole } from './field.ts';

export const revision = orNull(
  whole({
    about: 'Which change of it this is, as the content service counts; null = another has sent the event',
    min: 1,
    max: 4_294_967_295,
  }),
);
