// How a review is sent and told.
//
// Its `ETag` is its revision, and how useful it was found: `If-Match` asks for the revision alone, as the votes of others
// are no reason to refuse an edit.

import { text, whole } from '../../schemas/field.ts';
import type { Review } from '../ports/content.ts';
import type { Fields } from './body.ts';

export const reviewFields = (lengthMax: number): Fields => [
  { name: 'rating', ...whole({ about: 'What the user gives the film', min: 1, max: 10 }) },
  { name: 'text', ...text({ about: 'The review itself', lengthMin: 1, lengthMax }) },
];

export const tagOf = ({ revision, likes, dislikes }: Review): string => `"${revision}.${likes}.${dislikes}"`;

export const spelledReview = (review: Review) => ({
  id: review.id,
  film_id: review.filmId,
  user_id: review.userId,
  rating: review.rating,
  text: review.text,
  state: review.state,
  likes: review.likes,
  dislikes: review.dislikes,
  revision: review.revision,
  created_at: new Date(review.createdAtMs).toISOString(),
  edited_at: review.editedAtMs === null ? null : new Date(review.editedAtMs).toISOString(),
});
