import { afterEach, expect, test } from 'bun:test';
import { type RetentionWatch, type RetentionWatchOptions, watchRetention } from '../../../src/roles/retention-watch.ts';
import { eventually } from '../../support/until.ts';

const hourMs = 3_600_000;
const at = Date.parse('2026-11-28T12:00:00Z');
const lines: { readonly level: string; readonly words: string }[] = [];
const line =
  (level: string) =>
  (...said: readonly unknown[]): void =>
    void lines.push({ level, words: String(said.at(-1)) });
const logger = { debug: line('debug'), info: line('info'), error: line('error') } as never;
const open: RetentionWatch[] = [];
afterEach(async () => {
  lines.length = 0;
  await Promise.all(open.splice(0).map(watch => watch.stop()));
});

function watched(more: Partial<RetentionWatchOptions>): RetentionWatch {
  const made = watchRetention({
    transport: { title: 'Kafka', keeps: async () => new Map([['ugc.click', 24 * hourMs]]) },
    topics: () => ['ugc.click'],
    oldest: () => new Map(),
    done: 'archived',
    logger,
    now: () => at,
    askEveryMs: 1,
    ...more,
  });
  open.push(made);
  return made;
}

test('all of it is left of a topic that nothing waits in', async () => {
  const watch = watched({});
  await eventually(() => watch.left().get('ugc.click') === 24 * 3_600, { what: 'it is known' });
  expect(watch.problem()).toBeNull();
});

test('a quarter of it is time enough, less is told once, and when it is over', async () => {
  let agedMs = 18 * hourMs;
  const watch = watched({ oldest: () => new Map([['ugc.click', at - agedMs]]) });
  await eventually(() => watch.left().get('ugc.click') === 6 * 3_600, { what: 'it is known' });
  expect(watch.problem()).toBeNull();
  agedMs = 19.5 * hourMs;
  expect(watch.problem()).toBe(
    'what is not archived of ugc.click will be deleted in 4 hours: Kafka keeps a record for 24 hours, raise the topic’s retention until this has caught up',
  );
  await eventually(() => lines.length > 0, { what: 'it is told' });
  agedMs = 30 * hourMs;
  expect(watch.problem()).toContain('may have been deleted already');
  await Bun.sleep(10); // several looks
  expect(lines.map(({ level }) => level)).toEqual(['error']);
  agedMs = 0;
  await eventually(() => lines.at(-1)?.level === 'info', { what: 'it is over' });
  expect(watch.problem()).toBeNull();
});

test('the topic with the least time is named, and how many others there are', async () => {
  const keeps = async () => new Map(['a', 'b', 'c'].map(topic => [topic, 10 * hourMs]));
  const oldest = new Map([['a', at - 9 * hourMs], ['b', at - 9.5 * hourMs]]); // biome-ignore format: two
  const watch = watched({ transport: { title: 'Kafka', keeps }, oldest: () => oldest });
  await eventually(() => watch.problem() !== null, { what: 'it is known' });
  expect(watch.problem()).toContain('of b will be deleted in 30 minutes, and 1 other topics soon');
});

test('what was received by a clock ahead of ours has no more than all of it', async () => {
  const watch = watched({ oldest: () => new Map([['ugc.click', at + hourMs]]) });
  await eventually(() => watch.left().get('ugc.click') === 24 * 3_600, { what: 'it is known' });
});

test('a broker that does not answer is asked again, and what it said before counts', async () => {
  let isAway = false;
  const keeps = async () => {
    if (isAway) throw new Error('away');
    return new Map([['ugc.click', hourMs]]);
  };
  const watch = watched({ transport: { title: 'Kafka', keeps } });
  await eventually(() => watch.left().size === 1, { what: 'it is known' });
  isAway = true;
  await eventually(() => lines.length > 0, { what: 'it fails' });
  expect(watch.left().get('ugc.click')).toBe(3_600);
});

test.each([
  ['the disk', null],
  ['a broker that deletes nothing unread', { title: 'Pulsar' }],
] as const)('%s has no figures', async (_, transport) => {
  const watch = watched({ transport, oldest: () => new Map([['ugc.click', 0]]) });
  await watch.stop();
  expect([watch.left().size, watch.problem()]).toEqual([0, null]);
});
