// The routes of content. Changes need a user and `content:write`, what is one's own `content:read`; counts and reviews that
// are shown are for everybody, and who shows a token is told what is theirs beside it.

import type { Answer } from '../http/answer.ts';
import type { Call, Handler, Method, Route } from '../http/route.ts';
import { asContent } from './answers.ts';
import { Unfit, unfitAnswer } from './body.ts';
import { deleteBookmark, getBookmark, getBookmarks, putBookmark } from './bookmarks.ts';
import type { Content } from './content.ts';
import { getFilm } from './film.ts';
import { deleteLike, getLike, putLike } from './likes.ts';
import { onceOf } from './once.ts';
import { deletePlace, getPlace, getPlaces, putPlace } from './progress.ts';
import { deleteReview, deleteReviewLike, getReview, getReviewLike, patchReview, putReviewLike } from './review.ts';
import { getModeratedReviews, getOwnReviews, getReviews, postReview } from './reviews.ts';
import { deleteComment, deleteFav, deleteLikeOf, isFav, isLiked, postComment, postFav, postLike } from './spellings.ts';

type Does = (content: Content, call: Call) => Answer | Promise<Answer>;

export function contentRoutes(content: Content): readonly Route[] {
  const once = onceOf(content);
  const film = '/v1/films/:film_id';
  const review = '/v1/reviews/:review_id';

  const route = (method: Method, path: string, needs: string, does: Does): Route => ({
    method,
    path,
    needs,
    handler: handlerOf(content, does),
    render: asContent,
  });
  const changes = (method: Method, path: string, does: Does) =>
    route(method, path, 'content:write', async (of, call) => {
      const answer = await does(of, call);
      of.wake();
      return answer;
    });
  const own = (path: string, does: Does) => route('GET', path, 'content:read', does);
  const open = (path: string, does: Does): Route => ({ ...own(path, does), isPublic: true });

  return [
    open(film, getFilm),
    { ...open(`${film}/counts`, getFilm), isOtherPath: true },
    changes('PUT', `${film}/like`, putLike),
    changes('DELETE', `${film}/like`, deleteLike),
    open(`${film}/like`, getLike),
    open(`${film}/reviews`, getReviews),
    changes('POST', `${film}/reviews`, (of, call) => postReview(of, once, call)),
    route('GET', '/v1/reviews', 'content:moderate', getModeratedReviews),
    open(review, getReview),
    changes('PATCH', review, patchReview),
    changes('DELETE', review, deleteReview),
    changes('PUT', `${review}/like`, putReviewLike),
    changes('DELETE', `${review}/like`, deleteReviewLike),
    open(`${review}/like`, getReviewLike),
    changes('PUT', `${film}/bookmark`, putBookmark),
    changes('DELETE', `${film}/bookmark`, deleteBookmark),
    own(`${film}/bookmark`, getBookmark),
    changes('PUT', `${film}/progress`, putPlace),
    changes('DELETE', `${film}/progress`, deletePlace),
    own(`${film}/progress`, getPlace),
    own('/v1/me/reviews', getOwnReviews),
    own('/v1/me/bookmarks', getBookmarks),
    own('/v1/me/history', (of, call) => getPlaces(of, call, false)),
    own('/v1/me/continue', (of, call) => getPlaces(of, call, true)),
    changes('POST', '/like', postLike),
    changes('DELETE', '/like', deleteLikeOf),
    own('/is_liked', isLiked),
    changes('POST', '/comment', (of, call) => postComment(of, once, call)),
    changes('DELETE', '/comment', deleteComment),
    changes('POST', '/fav', postFav),
    changes('DELETE', '/fav', deleteFav),
    own('/is_fav', isFav),
  ];
}

const handlerOf =
  (content: Content, does: Does): Handler =>
  async call => {
    try {
      return await does(content, call);
    } catch (error) {
      if (error instanceof Unfit) return unfitAnswer(error);
      throw error;
    }
  };
