// One review: read, changed and deleted by its author, moderated, found useful or not.

import { choice } from '../../schemas/field.ts';
import { PipelineError } from '../errors.ts';
import { type Answer, problem } from '../http/answer.ts';
import type { Call } from '../http/route.ts';
import { type Review, type ReviewChange, type ReviewState, reviewStates, type Vote } from '../ports/content.ts';
import { nothing, revalidated, told } from './answers.ts';
import { bodyOf, type Fields, maybeBodyOf, Unfit } from './body.ts';
import { type Content, changeBy, isModerator, maybeUserOf, surely, userOf } from './content.ts';
import { noReview, reviewIdOf } from './ids.ts';
import { voteFields, voteIn } from './likes.ts';
import { reviewFields, spelledReview, tagOf } from './review-form.ts';

/** What is not shown to everybody is there for its author and for moderators. */
const isShownTo = (call: Call, { state, userId }: Review): boolean =>
  state === 'approved' || isModerator(call) || (userId !== null && userId === maybeUserOf(call));

async function shown({ store }: Content, call: Call, id: string): Promise<Review> {
  const review = await store.review(id);
  if (review === null || !isShownTo(call, review)) throw noReview();
  return review;
}

export async function getReview(content: Content, call: Call): Promise<Answer> {
  const review = await shown(content, call, reviewIdOf(call));
  const isForAll = maybeUserOf(call) === null;
  return revalidated(call, spelledReview(review), isForAll, tagOf(review));
}

/** For moderators. */
export const stateField: Fields[number] = {
  name: 'state',
  ...choice({ about: 'Who may read it', of: reviewStates }),
  absent: 'null',
};

const editFields = ({ reviewLengthMax }: Content): Fields => [
  ...reviewFields(reviewLengthMax).map(field => ({ ...field, absent: 'null' as const })),
  stateField,
];

export async function patchReview(content: Content, call: Call): Promise<Answer> {
  const id = reviewIdOf(call);
  const revision = revisionAsked(call);
  const { state, ...edit } = (await bodyOf(call, editFields(content), content)) as {
    readonly state?: ReviewState;
    readonly rating?: number;
    readonly text?: string;
  };
  if (state === undefined) return edited(content, call, { id, revision, ...edit });
  if (!isModerator(call))
    throw new PipelineError('forbidden', 'state is for moderators: the scope of the token has to say content:moderate');
  if (Object.keys(edit).length > 0)
    throw new Unfit([{ path: '/state', message: 'is changed alone: moderators do not change what others wrote' }]);
  return moderated(content, call, { id, revision, state });
}

interface Edit {
  readonly id: string;
  readonly revision: number | undefined;
  readonly rating?: number;
  readonly text?: string;
}

async function edited(content: Content, call: Call, { id, ...edit }: Edit): Promise<Answer> {
  const { rating, text, revision } = edit;
  if (rating === undefined && text === undefined)
    throw new Unfit([{ path: '', message: 'expected rating, text or both' }]);
  const change = changeBy(call, content);
  const wanted = {
    ...(rating !== undefined && { rating }),
    ...(text !== undefined && { text: text.trim() }),
    ...(revision !== undefined && { revision }),
    state: content.isShownAtOnce ? ('approved' as const) : ('pending' as const),
  };
  return answered(content, call, id, await surely(() => content.store.editReview(id, wanted, change)));
}

interface Moderation extends Pick<Edit, 'id' | 'revision'> {
  readonly state: ReviewState;
}

async function moderated(content: Content, call: Call, { id, revision, state }: Moderation): Promise<Answer> {
  const change = changeBy(call, content);
  if (revision !== undefined) {
    const review = await shown(content, call, id);
    if (review.revision !== revision) return stale(review);
  }
  return answered(content, call, id, await surely(() => content.store.moderate(id, state, change)));
}

export const deleteReview = (content: Content, call: Call): Promise<Answer> => deleted(content, call, reviewIdOf(call));

export async function deleted(content: Content, call: Call, id: string): Promise<Answer> {
  const revision = revisionAsked(call);
  const change = changeBy(call, content);
  const result = await surely(() => content.store.deleteReview(id, revision, change));
  return result.outcome === 'done' ? nothing : answered(content, call, id, result);
}

async function answered(content: Content, call: Call, id: string, change: ReviewChange): Promise<Answer> {
  if (change.outcome === 'missing') throw noReview();
  if (change.outcome === 'stale') return stale(change.review);
  if (change.outcome === 'done') return told(200, spelledReview(change.review), { etag: tagOf(change.review) });
  await shown(content, call, id); // else it would tell that there is one
  throw new PipelineError('forbidden', 'this review is another user’s');
}

const stale = (review: Review): Answer =>
  problem(new PipelineError('stale', 'the review has been changed since: read it again, and then edit it'), {
    headers: { etag: tagOf(review) },
  });

/** By `If-Match`; undefined = whichever there is. Throws `stale` for what can be no tag of a review. */
function revisionAsked({ request }: Call): number | undefined {
  const header = request.headers.get('if-match')?.trim();
  if (header === undefined || header === '*') return undefined;
  const [, revision] = /^"(\d{1,10})(?:\.\d+\.\d+)?"$/.exec(header) ?? [];
  if (revision === undefined)
    throw new PipelineError('stale', 'If-Match must be the ETag of the review, one and as it was told');
  return Number(revision);
}

export async function putReviewLike(content: Content, call: Call): Promise<Answer> {
  const id = reviewIdOf(call);
  return voted(content, call, id, voteIn(await maybeBodyOf(call, voteFields, content)));
}

export async function deleteReviewLike(content: Content, call: Call): Promise<Answer> {
  await voted(content, call, reviewIdOf(call), 0);
  return nothing;
}

async function voted(content: Content, call: Call, id: string, vote: Vote): Promise<Answer> {
  const change = changeBy(call, content);
  await shown(content, call, id);
  const result = await surely(() => content.store.voteReview(id, vote, change));
  if (result.outcome === 'not_own') throw new PipelineError('forbidden', 'one’s own review is not voted for');
  if (result.outcome !== 'done') throw noReview();
  const { likes, dislikes } = result.review;
  return told(200, { review_id: id, value: vote, likes, dislikes });
}

export async function getReviewLike(content: Content, call: Call): Promise<Answer> {
  const id = reviewIdOf(call);
  const userId = maybeUserOf(call);
  const { likes, dislikes } = await shown(content, call, id);
  const value = userId === null ? null : await content.store.reviewVoteOf(id, userOf(call));
  return revalidated(call, { review_id: id, value, likes, dislikes }, userId === null);
}
