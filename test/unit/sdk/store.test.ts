// What waits on disk: pages that live, die and take over from each other over one localStorage.

import { describe, expect, test } from 'bun:test';
import { uuidv7 } from '../../../sdk/src/id.ts';
import { queueOf } from '../../../sdk/src/queue.ts';
import { type Kept, leaseMs, storeOf } from '../../../sdk/src/store.ts';
import { type PageStorage, pageStorage } from '../../support/page-storage.ts';

const url = 'https://events.example.com';
const startMs = Date.UTC(2026, 0, 1);

let clockMs = startMs;
function passes(ms: number): void {
  clockMs += ms;
}

/** A page with this storage; `dropped` says what was told of. */
function pageOf(storage: PageStorage | undefined, { eventsMax = 1_000, at = url } = {}) {
  const dropped: string[] = [];
  const store = storeOf(storage, at, () => clockMs);
  const queue = queueOf({ store, eventsMax, drop: ({ id }, why) => void dropped.push(`${id} ${why}`) });
  return {
    queue,
    dropped,
    add(id: string, eventJson = `{"of":"${id}"}`): Kept {
      const kept = { id, eventJson };
      queue.add(kept);
      return kept;
    },
    waiting: () => queue.batch(10_000).map(({ id }) => id),
  };
}

describe('ids', () => {
  test('are UUIDs of version 7, in the order in which they were made, also when the clock goes back', () => {
    const laterMs = Date.UTC(2100, 0, 1); // ids of this process are ahead of the past
    const ids = [5, 5, 5, 9, 2, 2, 10].map(ms => uuidv7(laterMs + ms));
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    const far = uuidv7(laterMs + 1_000_000);
    expect(Number.parseInt(far.replace('-', '').slice(0, 12), 16)).toBe(laterMs + 1_000_000);
  });

  test('of one millisecond differ by the thousands', () => {
    const ids = Array.from({ length: 5_000 }, () => uuidv7(startMs + 2_000_000));
    expect(new Set(ids).size).toBe(5_000);
    expect(ids.toSorted()).toEqual(ids);
  });
});

describe('pages that share a storage', () => {
  test('leave alone what is of one that lives', () => {
    const storage = pageStorage();
    const [one, other] = [pageOf(storage), pageOf(storage)];
    one.add('a');
    other.queue.gather();
    expect(other.waiting()).toEqual([]);
    passes(leaseMs - 1);
    one.queue.gather();
    passes(leaseMs - 1);
    other.queue.gather();
    expect(other.waiting()).toEqual([]);
    expect(one.waiting()).toEqual(['a']);
  });

  test('take over at once what one that has gone has released, in order, and it is theirs to keep', () => {
    const storage = pageStorage();
    const one = pageOf(storage);
    for (const id of ['a', 'b', 'c']) one.add(id);
    one.queue.release();
    expect(one.waiting()).toEqual([]); // it may come back, and must not send them again
    const other = pageOf(storage);
    other.queue.gather();
    expect(other.waiting()).toEqual(['a', 'b', 'c']);
    for (const kept of other.queue.batch(10)) other.queue.done(kept);
    const third = pageOf(storage);
    passes(leaseMs);
    third.queue.gather();
    expect(third.waiting()).toEqual([]);
    expect(storage.keys()).toEqual([]);
  });

  test('take over what one that was killed has left, once its lease is over', () => {
    const storage = pageStorage();
    pageOf(storage).add('a');
    const other = pageOf(storage);
    passes(leaseMs - 1);
    other.queue.gather();
    expect(other.waiting()).toEqual([]);
    passes(1);
    other.queue.gather();
    expect(other.waiting()).toEqual(['a']);
  });

  test('take over when the clock was set back far: nobody lives in the future', () => {
    const storage = pageStorage();
    pageOf(storage).add('a');
    const other = pageOf(storage);
    passes(-86_400_000);
    other.queue.gather();
    expect(other.waiting()).toEqual(['a']);
  });

  test('one that slept and was taken for dead sends nothing that another has, and keeps the rest', () => {
    const storage = pageStorage();
    const sleeper = pageOf(storage);
    for (const id of ['a', 'b']) sleeper.add(id);
    passes(leaseMs);
    const other = pageOf(storage, { eventsMax: 1 });
    other.queue.gather();
    expect(other.waiting()).toEqual(['a']);
    sleeper.queue.gather();
    expect(sleeper.waiting()).toEqual(['b']);
    sleeper.queue.release();
    const third = pageOf(storage);
    third.queue.gather();
    expect(third.waiting()).toEqual(['b']);
  });

  test('a storage that somebody has cleared loses nothing', () => {
    const storage = pageStorage();
    const page = pageOf(storage);
    page.add('a');
    storage.clear();
    page.queue.gather();
    expect(page.waiting()).toEqual(['a']);
    page.queue.release();
    const next = pageOf(storage);
    next.queue.gather();
    expect(next.waiting()).toEqual(['a']);
  });

  test('what is for another server stays where it is', () => {
    const storage = pageStorage();
    const one = pageOf(storage);
    one.add('a');
    one.queue.release();
    const other = pageOf(storage, { at: 'https://events.example.org' });
    other.queue.gather();
    expect(other.waiting()).toEqual([]);
    const same = pageOf(storage);
    same.queue.gather();
    expect(same.waiting()).toEqual(['a']);
  });

  test('take no more than there is room for, and drop nothing for it', () => {
    const storage = pageStorage();
    const gone = pageOf(storage);
    for (const id of ['a', 'b', 'c']) gone.add(id);
    gone.queue.release();
    const small = pageOf(storage, { eventsMax: 2 });
    small.queue.gather();
    expect(small.waiting()).toEqual(['a', 'b']);
    expect(small.dropped).toEqual([]);
    for (const kept of small.queue.batch(10)) small.queue.done(kept);
    small.queue.gather();
    expect(small.waiting()).toEqual(['c']);
  });
});

describe('a storage that refuses', () => {
  test('or none at all: memory, and no page throws', () => {
    const refusing = pageStorage();
    refusing.limit(-1);
    for (const storage of [refusing, undefined]) {
      const page = pageOf(storage);
      page.add('a');
      page.queue.gather();
      expect(page.waiting()).toEqual(['a']);
      page.queue.release(); // nobody else has it, so it stays
      expect(page.waiting()).toEqual(['a']);
      page.queue.clear();
      expect(page.waiting()).toEqual([]);
    }
  });

  test('that is full keeps what fits, the rest is in memory and outlives the page’s rest in the cache', () => {
    const storage = pageStorage();
    const page = pageOf(storage);
    page.add('a');
    storage.limit(storage.keys().join('').length + 60);
    page.add('b', `{"of":"${'x'.repeat(500)}"}`);
    page.queue.release();
    expect(page.waiting()).toEqual(['b']);
  });
});

describe('the bound', () => {
  test('of events: the oldest goes, is told of, and leaves the disk', () => {
    const storage = pageStorage();
    const page = pageOf(storage, { eventsMax: 2 });
    for (const id of ['a', 'b', 'c', 'd']) page.add(id);
    expect(page.waiting()).toEqual(['c', 'd']);
    expect(page.dropped).toEqual(['a queue_full', 'b queue_full']);
    expect(storage.keys().filter(key => key.endsWith(' a') || key.endsWith(' b'))).toEqual([]);
  });

  test('of characters, and of one event: it goes, and no other for it', () => {
    const page = pageOf(undefined);
    page.add('small');
    page.add('huge', 'x'.repeat(1_048_577));
    expect(page.dropped).toEqual(['huge too_large']);
    page.add('half', 'x'.repeat(524_288));
    page.add('half too', 'x'.repeat(524_288));
    expect(page.waiting()).toEqual(['half', 'half too']);
    expect(page.dropped).toEqual(['huge too_large', 'small queue_full']);
  });

  test('of none keeps the newest, and ends', () => {
    const page = pageOf(undefined, { eventsMax: 0 });
    page.add('a');
    page.add('b');
    expect(page.waiting()).toEqual(['b']);
  });
});

test('a beacon takes 48 KB of UTF-8, what does not fit is passed over, and nothing goes with two', () => {
  const page = pageOf(undefined);
  page.add('a', 'ä'.repeat(20_000));
  page.add('b', 'ä'.repeat(20_000));
  page.add('c', 'x'.repeat(7_000));
  const taken = page.queue.beacon();
  expect(taken.map(({ id }) => id)).toEqual(['a', 'c']);
  for (const kept of taken) kept.isBeaconed = true;
  expect(page.queue.beacon().map(({ id }) => id)).toEqual(['b']);
  expect(page.waiting()).toEqual(['a', 'b', 'c']);
});
