// What the routes of content answer, as OpenAPI.

import { type JsonSchema, refTo } from '../../schemas/json-schema.ts';
import { reviewStates } from '../ports/content.ts';

const objectOf = (properties: Readonly<Record<string, JsonSchema>>): JsonSchema => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
});

const id = { type: 'string' };
const count = { type: 'integer', minimum: 0 };
const moment = { type: 'string', format: 'date-time' };
const yesOrNo = { type: 'boolean' };
const seconds = { type: 'number', minimum: 0, description: 'Seconds' };
const vote = { enum: [-1, 0, 1], description: '1 = for it, -1 = against it, 0 = neither' };
const ownVote = { enum: [-1, 0, 1, null], description: 'One’s own; null = nobody said whose' };
const next = { type: ['string', 'null'], description: 'The cursor of the next page; null = that was all' };
const listOf = (name: string) => ({ type: 'array', items: refTo(name) });

export const contentSchemas: Readonly<Record<string, JsonSchema>> = {
  FilmCounts: objectOf({
    film_id: id,
    likes: count,
    dislikes: count,
    reviews: { ...count, description: 'Those that are shown' },
    average_rating: {
      type: ['number', 'null'],
      description: 'Of the reviews that are shown, to two places; null = there is none',
    },
    bookmarks: count,
  }),
  Like: objectOf({ film_id: id, value: vote }),
  FilmLikes: objectOf({ film_id: id, value: ownVote, likes: count, dislikes: count }),
  ReviewLikes: objectOf({
    review_id: { type: 'string', format: 'uuid' },
    value: ownVote,
    likes: count,
    dislikes: count,
  }),
  Bookmark: objectOf({ film_id: id, is_bookmarked: yesOrNo }),
  Bookmarks: objectOf({
    bookmarks: { type: 'array', items: objectOf({ film_id: id, added_at: moment }) },
    next,
  }),
  Review: objectOf({
    id: { type: 'string', format: 'uuid' },
    film_id: id,
    user_id: { type: ['string', 'null'], description: 'The subject of its author’s token; null = was forgotten' },
    rating: { type: 'integer', minimum: 1, maximum: 10 },
    text: { type: 'string', description: 'As it was sent, and not HTML: escape it where it is shown' },
    state: { enum: reviewStates },
    likes: count,
    dislikes: count,
    revision: { type: 'integer', minimum: 1 },
    created_at: moment,
    edited_at: { anyOf: [moment, { type: 'null' }] },
  }),
  Reviews: objectOf({ reviews: listOf('Review'), next }),
  Place: objectOf({
    film_id: id,
    position: seconds,
    duration: seconds,
    furthest: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      description: 'The furthest it was seen, as a part of its length',
    },
    is_watched: yesOrNo,
    watched_at: { anyOf: [moment, { type: 'null' }], description: 'For the first time' },
    first_at: moment,
    at: moment,
  }),
  Places: objectOf({ films: listOf('Place'), next }),
  IsLiked: objectOf({ is_liked: yesOrNo }),
  IsFav: objectOf({ is_fav: yesOrNo }),
};
