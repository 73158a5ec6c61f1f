// Users of the content API who do one thing after the other and do not let go of it: what was not answered, or answered
// with "try again", is sent again until it is done. So at the end there is no doubt what is true: of each like, bookmark
// and review what its user was told last.

import type { Random } from './random.ts';

export interface ContentTruth {
  /** By user, then film: 1 or -1; what was taken back is 0. */
  readonly likes: Map<string, Map<string, number>>;
  readonly bookmarks: Map<string, Map<string, number>>;
  /** By id; of those that were deleted `isDeleted`. */
  readonly reviews: Map<string, TrueReview>;
}

export interface TrueReview {
  readonly user: string;
  readonly film: string;
  rating: number;
  text: string;
  isDeleted: boolean;
}

export interface ContentLoad {
  readonly truth: ContentTruth;
  /** Answers that no fault excuses. */
  readonly failures: readonly string[];
  /** Done, and sent again because nobody knew. */
  readonly counts: { done: number; repeated: number };
  /** Begins nothing more; resolves once what was begun is done. */
  quiet(): Promise<void>;
}

export interface ContentLoadOptions {
  /** Where the API is just now. */
  readonly url: () => string;
  readonly tokenOf: (user: string) => string;
  readonly users: number;
  readonly films: number;
  readonly random: Random;
}

interface Sent {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** An earlier try of it may have been done. */
  readonly isRepeated: boolean;
}

type Send = (method: string, path: string, body?: unknown, key?: string) => Promise<Sent>;

const pauseMsMax = 30;
const answerMsMax = 8_000;

export function contentLoad({ url, tokenOf, users, films, random }: ContentLoadOptions): ContentLoad {
  const truth: ContentTruth = { likes: new Map(), bookmarks: new Map(), reviews: new Map() };
  const failures: string[] = [];
  const counts = { done: 0, repeated: 0 };
  let isOver = false;

  const sendAs =
    (user: string): Send =>
    async (method, path, body, key) => {
      const headers = {
        authorization: `Bearer ${tokenOf(user)}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(key !== undefined && { 'idempotency-key': key }),
      };
      for (let tries = 0; ; tries++) {
        const answer = await fetch(url() + path, {
          method,
          headers,
          ...(body !== undefined && { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(answerMsMax),
        })
          .then(async response => ({ status: response.status, text: await response.text() }))
          .catch(() => null);
        if (answer !== null && answer.status < 500 && answer.status !== 409) {
          counts.done++;
          return { ...read(answer), isRepeated: tries > 0 };
        }
        counts.repeated++;
        await Bun.sleep(random.between(10, 120));
      }
    };

  const toggle = async (send: Send, what: 'like' | 'bookmark', user: string, film: string): Promise<void> => {
    const value = what === 'bookmark' ? random.pick([0, 1]) : random.pick([-1, 0, 1, 1]);
    const path = `/v1/films/${film}/${what}`;
    const body = what === 'like' && value !== 0 ? { value } : undefined;
    const { status } = await send(value === 0 ? 'DELETE' : 'PUT', path, body);
    if (status >= 400) failures.push(`${status} of ${value === 0 ? 'DELETE' : 'PUT'} ${path}`);
    const all = what === 'like' ? truth.likes : truth.bookmarks;
    all.set(user, (all.get(user) ?? new Map()).set(film, value));
  };

  const review = async (send: Send, user: string, film: string): Promise<void> => {
    const own = [...truth.reviews].filter(([, one]) => one.user === user && !one.isDeleted);
    const [id, known] = own.length > 0 && random.next() < 0.6 ? random.pick(own) : [null, null];
    const said = { rating: random.between(1, 10), text: `говорит ${random.between(1, 1e9)} \u{1f3ac}` };
    if (known === null) {
      const path = `/v1/films/${film}/reviews`;
      const { status, body } = await send('POST', path, said, `key-${crypto.randomUUID()}`);
      if (status !== 201 && status !== 200) failures.push(`${status} of POST ${path}: ${JSON.stringify(body)}`);
      else truth.reviews.set(idIn(body), { user, film, ...said, isDeleted: false });
    } else if (random.next() < 0.6) {
      const { status } = await send('PATCH', `/v1/reviews/${id}`, said);
      if (status >= 400) failures.push(`${status} of PATCH of a review`);
      else Object.assign(known, said);
    } else {
      const { status, isRepeated } = await send('DELETE', `/v1/reviews/${id}`);
      if (status >= 400 && !(status === 404 && isRepeated)) failures.push(`${status} of DELETE of a review`);
      known.isDeleted = true;
    }
  };

  async function act(user: string): Promise<void> {
    const send = sendAs(user);
    while (!isOver) {
      const film = `film-${random.between(1, films)}`;
      const kind = random.next();
      if (kind < 0.6) await toggle(send, 'like', user, film);
      else if (kind < 0.8) await toggle(send, 'bookmark', user, film);
      else await review(send, user, film);
      await Bun.sleep(random.between(0, pauseMsMax));
    }
  }

  const acting = Promise.all(Array.from({ length: users }, (_, at) => act(`user-${at + 1}`)));
  return {
    truth,
    failures,
    counts,
    async quiet() {
      isOver = true;
      await acting;
    },
  };
}

const idIn = (body: Readonly<Record<string, unknown>>): string => String(body.id ?? body.review_id);

function read({ status, text }: { readonly status: number; readonly text: string }) {
  try {
    return { status, body: JSON.parse(text) as Readonly<Record<string, unknown>> };
  } catch {
    return { status, body: {} };
  }
}
