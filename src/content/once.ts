// `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a POST that is sent again is done once, and answered
// as the first time. What is made gets its id from user, key and request, so that it is also made once when the process
// ends between doing it and keeping the answer.

import { PipelineError } from '../errors.ts';
import type { Answer } from '../http/answer.ts';
import type { Call } from '../http/route.ts';
import type { Change } from '../ports/content.ts';
import { type Content, changeBy, surely, userOf } from './content.ts';

export type Once = (
  call: Call,
  request: readonly unknown[],
  post: (change: Change) => Promise<Answer>,
) => Promise<Answer>;

const keyPattern = /^[\x21-\x7e]{1,255}$/;
const namespace = '6f6b2a1c-6d0a-4b60-9a4c-3f5f6d9e2b11';

/** `request`: what makes two requests the same one. */
export function onceOf(content: Content): Once {
  const { store } = content;
  /** In this process. Another one that does the same meanwhile makes the same. */
  const underWay = new Set<string>();

  async function claimed(call: Call, key: string, hash: string, post: Parameters<Once>[2]): Promise<Answer> {
    const userId = userOf(call);
    const change = changeBy(call, content, Bun.randomUUIDv5(JSON.stringify([userId, key, hash]), namespace));
    const claim = await surely(() => store.claim(userId, key, hash, change.atMs));
    if (claim.outcome === 'other')
      throw new PipelineError('key_reused', 'this Idempotency-Key was sent with another request: take a new one');
    if (claim.outcome === 'answered') return JSON.parse(claim.answer) as Answer;
    const answer = await post(change);
    // Without it the same is made again, and is the same.
    if (answer.status < 300) await store.settle(userId, key, JSON.stringify(answer)).catch(() => {});
    return answer;
  }

  return async (call, request, post) => {
    const key = call.request.headers.get('idempotency-key');
    if (key === null) return post(changeBy(call, content));
    if (!keyPattern.test(key))
      throw new PipelineError('bad_request', 'Idempotency-Key must be 1 to 255 visible ASCII characters, e.g. a UUID');
    const name = JSON.stringify([userOf(call), key]);
    if (underWay.has(name))
      throw new PipelineError('conflict', 'a request with this Idempotency-Key is being done just now');
    underWay.add(name);
    try {
      return await claimed(call, key, hashOf(request), post);
    } finally {
      underWay.delete(name);
    }
  };
}

const hashOf = (request: readonly unknown[]): string =>
  new Bun.CryptoHasher('sha256').update(JSON.stringify(request)).digest('base64url');
