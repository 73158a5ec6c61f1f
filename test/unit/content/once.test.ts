// Done once: with the answer that was kept, without it, and when the store cannot say whether it was done.

import { describe, expect, test } from 'bun:test';
import { memoryContent } from '../../../src/adapters/memory/content.ts';
import { told } from '../../../src/content/answers.ts';
import { type Content, surely } from '../../../src/content/content.ts';
import { onceOf } from '../../../src/content/once.ts';
import { PipelineError } from '../../../src/errors.ts';
import { arrivalOf } from '../../../src/http/arrival.ts';
import type { Call } from '../../../src/http/route.ts';
import type { Change, ContentStore } from '../../../src/ports/content.ts';

const rules = { seenSeconds: 120, seenShare: 0.05, watchedShare: 0.9 };
const contentOver = (store: ContentStore, nowMs = 1_795_000_000_000): Content => ({
  store,
  clock: { stamp: () => nowMs, problem: () => null },
  limits: { bodyBytesMax: 1_000, bodyDecompressedBytesMax: 1_000, bodyTimeoutMs: 1_000 },
  reviewLengthMax: 100,
  isShownAtOnce: true,
  wake: () => {},
});

function callWith(key: string | null, userId = 'anna'): Call {
  const request = new Request('http://ugc/', key === null ? {} : { headers: { 'idempotency-key': key } });
  return { request, params: {}, arrival: arrivalOf(request), address: '', caller: { name: '', userId } };
}

describe('a request with a key', () => {
  const made: string[] = [];
  const post = async (change: Change) => {
    made.push(change.eventId);
    return told(201, { id: change.eventId });
  };

  test('is answered as the first time, without doing it', async () => {
    const once = onceOf(contentOver(memoryContent({ viewing: rules })));
    const first = await once(callWith('k'), ['a'], post);
    const before = made.length;
    expect(await once(callWith('k'), ['a'], post)).toEqual(first);
    expect(made.length).toBe(before);
    await expect(once(callWith('k'), ['b'], post)).rejects.toThrow('another request');
    expect(await once(callWith('k', 'boris'), ['a'], post)).not.toEqual(first);
    expect(await once(callWith(null), ['a'], post)).not.toEqual(await once(callWith(null), ['a'], post));
  });

  test('makes the same again when its answer was not kept: by another process, or after it', async () => {
    const store = memoryContent({ viewing: rules });
    const forgetful: ContentStore = {
      ...store,
      settle: () => Promise.reject(new PipelineError('store_unavailable')),
    };
    const first = await onceOf(contentOver(forgetful))(callWith('k'), ['a'], post);
    const again = await onceOf(contentOver(store, 1_795_000_009_000))(callWith('k'), ['a'], post);
    expect(again).toEqual(first);
  });

  test('is refused while it is being done, and not kept when it was not', async () => {
    const once = onceOf(contentOver(memoryContent({ viewing: rules })));
    const doing = Promise.withResolvers<never>();
    const first = once(callWith('k'), ['a'], () => doing.promise);
    await expect(once(callWith('k'), ['a'], post)).rejects.toThrow('being done');
    doing.reject(new PipelineError('store_unavailable'));
    await expect(first).rejects.toThrow('cannot be reached');
    expect((await once(callWith('k'), ['a'], post)).status).toBe(201);
  });
});

test('a write whose outcome is unknown is done again, a few times and with the same change; nothing else is', async () => {
  let tries = 0;
  const failing = (code: 'store_unknown' | 'store_unavailable', times: number) => async () => {
    if (++tries <= times) throw new PipelineError(code);
    return tries;
  };
  expect(await surely(failing('store_unknown', 2))).toBe(3);
  tries = 0;
  await expect(surely(failing('store_unknown', 9))).rejects.toThrow('may have been done');
  expect(tries).toBe(3);
  tries = 0;
  await expect(surely(failing('store_unavailable', 1))).rejects.toThrow('nothing was done');
  expect(tries).toBe(1);
});
