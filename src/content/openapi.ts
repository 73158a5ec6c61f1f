// The routes of content, as OpenAPI.

import type { JsonSchema } from '../../schemas/json-schema.ts';
import type { ApiPart, Paths } from '../http/openapi.ts';
import { reviewOrders, reviewStates } from '../ports/content.ts';
import { filmIdLengthMax, filmIdPattern } from './ids.ts';
import { voteFields } from './likes.ts';
import { bodySchemaOf, operation, type Parameter } from './openapi-operation.ts';
import { contentSchemas } from './openapi-schemas.ts';
import { limitDefault, limitMax } from './page.ts';
import { placeFields } from './progress.ts';
import { stateField } from './review.ts';
import { reviewFields } from './review-form.ts';
import { commentFields, filmField, likeFields } from './spellings.ts';

const filmIdSchema = { type: 'string', minLength: 1, maxLength: filmIdLengthMax, pattern: filmIdPattern };
const uuid = { type: 'string', format: 'uuid' };
const inPath = (name: string, schema: JsonSchema, description: string): Parameter => ({
  ...{ name, in: 'path', required: true, schema, description },
});
const inQuery = (name: string, schema: JsonSchema, description: string, required = false): Parameter => ({
  ...{ name, in: 'query', required, schema, description },
});
const header = (name: string, description: string, schema: JsonSchema = { type: 'string' }): Parameter => ({
  ...{ name, in: 'header', schema, description },
});

const film = inPath('film_id', filmIdSchema, 'The film, by the id its own service gives it');
const review = inPath('review_id', uuid, 'The review');
const filmAsked = inQuery('film_id', filmIdSchema, 'The film', true);
const paging: readonly Parameter[] = [
  inQuery('limit', { type: 'integer', minimum: 1, maximum: limitMax, default: limitDefault }, 'How many at most'),
  inQuery('cursor', { type: 'string' }, 'The `next` of the page before'),
];
const orders = (first: string): Parameter =>
  inQuery('order', { enum: reviewOrders, default: first }, 'useful = likes less dislikes');
const ifNoneMatch = header('If-None-Match', 'An ETag the client has: 304 while it is still so');
const ifMatch = header('If-Match', 'The ETag of the review: 412 when it has been changed since');
const idempotencyKey = header(
  'Idempotency-Key',
  'Sent again with the same body the request is done once and answered as the first time, for a day; with another body: 422',
  { type: 'string', pattern: '^[!-~]{1,255}$' },
);

const likeBody = { schema: bodySchemaOf(voteFields), example: { value: 1 }, isOptional: true } as const;
const filmExample = { film_id: '8bcb67fe-bde6-4645-af85-6664a9298b8c' };
const reviewExample = { rating: 8, text: 'Long, and not a minute too long.' };

const filmPaths: Paths = {
  '/v1/films/{film_id}': {
    get: operation({
      ...{ id: 'getFilm', tag: 'likes', summary: 'What all users make of a film', answer: 'FilmCounts' },
      ...{ parameters: [film, ifNoneMatch], isUnchangedTold: true },
    }),
  },
  '/v1/films/{film_id}/like': {
    put: operation({
      ...{ id: 'putLike', tag: 'likes', summary: 'Like or dislike a film; without a body: like', answer: 'Like' },
      ...{ parameters: [film], body: likeBody },
    }),
    delete: operation({ id: 'deleteLike', tag: 'likes', summary: 'Neither like nor dislike', parameters: [film] }),
    get: operation({
      ...{ id: 'getLike', tag: 'likes', summary: 'One’s own, and those of all', answer: 'FilmLikes' },
      ...{ parameters: [film, ifNoneMatch], isUnchangedTold: true },
    }),
  },
  '/v1/films/{film_id}/bookmark': {
    put: operation({
      ...{ id: 'putBookmark', tag: 'bookmarks', summary: 'Put a film among the bookmarks', answer: 'Bookmark' },
      parameters: [film],
    }),
    delete: operation({ id: 'deleteBookmark', tag: 'bookmarks', summary: 'Take it away', parameters: [film] }),
    get: operation({
      ...{ id: 'getBookmark', tag: 'bookmarks', summary: 'Whether it is there', answer: 'Bookmark' },
      parameters: [film],
    }),
  },
  '/v1/films/{film_id}/progress': {
    put: operation({
      ...{ id: 'putProgress', tag: 'history', summary: 'Keep where viewing stopped', answer: 'Place' },
      ...{
        parameters: [film],
        body: { schema: bodySchemaOf(placeFields), example: { position: 1830.25, duration: 3660.5 } },
      },
    }),
    delete: operation({
      id: 'deleteProgress',
      tag: 'history',
      summary: 'Take a film from the history',
      parameters: [film],
    }),
    get: operation({
      ...{ id: 'getProgress', tag: 'history', summary: 'Where viewing stopped', answer: 'Place', parameters: [film] },
    }),
  },
  '/v1/me/bookmarks': {
    get: operation({
      ...{ id: 'getBookmarks', tag: 'bookmarks', summary: 'The latest first', answer: 'Bookmarks', parameters: paging },
    }),
  },
  '/v1/me/history': {
    get: operation({
      ...{ id: 'getHistory', tag: 'history', summary: 'Films that were seen, the latest first', answer: 'Places' },
      parameters: paging,
    }),
  },
  '/v1/me/continue': {
    get: operation({
      ...{ id: 'getContinue', tag: 'history', summary: 'Films to go on with, the latest first', answer: 'Places' },
      parameters: paging,
    }),
  },
};

const editSchema = (lengthMax: number): JsonSchema => ({
  anyOf: [
    {
      title: 'by its author',
      ...bodySchemaOf(reviewFields(lengthMax).map(field => ({ ...field, absent: 'null' }))),
      minProperties: 1,
    },
    { title: 'by a moderator', ...bodySchemaOf([stateField]), required: ['state'] },
  ],
});

const reviewPaths = (lengthMax: number): Paths => ({
  '/v1/films/{film_id}/reviews': {
    get: operation({
      ...{ id: 'getReviews', tag: 'reviews', summary: 'Those that are shown', answer: 'Reviews' },
      parameters: [film, orders('newest'), ...paging],
    }),
    post: operation({
      ...{ id: 'postReview', tag: 'reviews', summary: 'Review a film', answer: 'Review', status: 201, problems: [409] },
      parameters: [film, idempotencyKey],
      body: { schema: bodySchemaOf(reviewFields(lengthMax)), example: reviewExample },
    }),
  },
  '/v1/reviews': {
    get: operation({
      ...{ id: 'getModeratedReviews', tag: 'reviews', summary: 'For moderators: those of a state', answer: 'Reviews' },
      parameters: [
        inQuery('state', { enum: reviewStates, default: 'pending' }, 'In which'),
        inQuery('film_id', filmIdSchema, 'Of this film alone'),
        orders('oldest'),
        ...paging,
      ],
    }),
  },
  '/v1/reviews/{review_id}': {
    get: operation({
      ...{ id: 'getReview', tag: 'reviews', summary: 'One review', answer: 'Review', isUnchangedTold: true },
      parameters: [review, ifNoneMatch],
    }),
    patch: operation({
      ...{ id: 'patchReview', tag: 'reviews', answer: 'Review', problems: [412], parameters: [review, ifMatch] },
      summary: 'Change one’s own review: rating, text or both; or, as a moderator, its state alone',
      body: { schema: editSchema(lengthMax), example: { rating: 9 } },
    }),
    delete: operation({
      ...{ id: 'deleteReview', tag: 'reviews', summary: 'Delete one’s own review', problems: [412] },
      parameters: [review, ifMatch],
    }),
  },
  '/v1/reviews/{review_id}/like': {
    put: operation({
      ...{ id: 'putReviewLike', tag: 'reviews', summary: 'Find a review of another useful, or not', body: likeBody },
      ...{ answer: 'ReviewLikes', parameters: [review] },
    }),
    delete: operation({ id: 'deleteReviewLike', tag: 'reviews', summary: 'Neither', parameters: [review] }),
    get: operation({
      ...{ id: 'getReviewLike', tag: 'reviews', summary: 'One’s own, and those of all', answer: 'ReviewLikes' },
      ...{ parameters: [review, ifNoneMatch], isUnchangedTold: true },
    }),
  },
  '/v1/me/reviews': {
    get: operation({
      ...{ id: 'getOwnReviews', tag: 'reviews', summary: 'One’s own, in whatever state', answer: 'Reviews' },
      parameters: [orders('newest'), ...paging],
    }),
  },
});

const other = 'other spellings';
const ofBody = [408, 413, 415, 422];

const otherPaths = (lengthMax: number): Paths => ({
  '/like': {
    post: operation({
      ...{ id: 'postLike', tag: other, summary: 'As PUT /v1/films/{film_id}/like', answer: 'Like' },
      body: { schema: bodySchemaOf(likeFields), example: filmExample },
    }),
    delete: operation({
      ...{
        id: 'deleteLikeOf',
        tag: other,
        summary: 'As DELETE /v1/films/{film_id}/like; the body may say film_id, too',
      },
      parameters: [filmAsked],
      problems: ofBody,
    }),
  },
  '/is_liked': {
    get: operation({
      ...{ id: 'isLiked', tag: other, summary: 'Whether one likes it', answer: 'IsLiked', parameters: [filmAsked] },
    }),
  },
  '/comment': {
    post: operation({
      ...{
        id: 'postComment',
        tag: other,
        summary: 'As POST /v1/films/{film_id}/reviews',
        answer: 'Review',
        status: 201,
      },
      ...{ problems: [409], parameters: [idempotencyKey] },
      body: { schema: bodySchemaOf(commentFields(lengthMax)), example: { ...filmExample, ...reviewExample } },
    }),
    delete: operation({
      ...{ id: 'deleteComment', tag: other, summary: 'As DELETE /v1/reviews/{review_id}', problems: [412] },
      parameters: [inQuery('id', uuid, 'The review', true), ifMatch],
    }),
  },
  '/fav': {
    post: operation({
      ...{ id: 'postFav', tag: other, summary: 'As PUT /v1/films/{film_id}/bookmark', answer: 'Bookmark' },
      body: { schema: bodySchemaOf(filmField), example: filmExample },
    }),
    delete: operation({
      ...{ id: 'deleteFav', tag: other, parameters: [filmAsked], problems: ofBody },
      summary: 'As DELETE /v1/films/{film_id}/bookmark; the body may say film_id, too',
    }),
  },
  '/is_fav': {
    get: operation({
      ...{ id: 'isFav', tag: other, summary: 'Whether it is among the bookmarks', answer: 'IsFav' },
      parameters: [filmAsked],
    }),
  },
});

export const contentApiOf = ({ reviewLengthMax }: { readonly reviewLengthMax: number }): ApiPart => ({
  tags: [
    { name: 'likes', description: 'One like or dislike of a user and a film' },
    { name: 'reviews', description: 'What users write of films, and what others think of that' },
    { name: 'bookmarks', description: 'Films a user means to come back to' },
    { name: 'history', description: 'What a user has seen, and where viewing stopped' },
    { name: other, description: 'The same in plain words' },
  ],
  paths: { ...filmPaths, ...reviewPaths(reviewLengthMax), ...otherPaths(reviewLengthMax) },
  schemas: contentSchemas,
});
