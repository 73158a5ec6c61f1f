import { expect, test } from 'bun:test';
import { heldAgainstLog } from '../../../src/archive/against-log.ts';
import type { Entry } from '../../../src/archive/manifest.ts';

const chain = { topic: 'ugc.click', log: 'L', partition: 0 };
const entry = (first: number, last: number, more: Partial<Entry> = {}): Entry => ({
  ...{ ...chain, first, last, formats: ['parquet'], records: last - first + 1, dead: 0 },
  ...{ missing: [], files: [], by: 'ugc', at: '2026-11-28T00:00:00Z', ...more },
});
const span = (first: number, next: number, more = {}) => ({ ...chain, first, next, ...more });
const figures = (books: ReturnType<typeof heldAgainstLog>) =>
  books.partitions.map(({ archived, behind, deleted }) => ({ archived, behind, deleted }));

test('all of it is archived', () => {
  const books = heldAgainstLog([entry(0, 9), entry(10, 19)], [span(5, 20)]);
  expect(figures(books)).toEqual([{ archived: 20, behind: 0, deleted: 0 }]);
  expect([books.problems, books.words]).toEqual([[], 'Everything in the log is archived.']);
});

test('what is not yet is counted, and is no problem', () => {
  const books = heldAgainstLog([entry(0, 9)], [span(0, 25), span(3, 7, { partition: 1 })]);
  expect(figures(books)).toEqual([
    { archived: 10, behind: 15, deleted: 0 },
    { archived: 0, behind: 4, deleted: 0 },
  ]);
  expect([books.problems, books.words]).toEqual([[], '19 positions of 2 partitions are not archived yet.']);
});

test('what was deleted before is a problem, to the position', () => {
  const books = heldAgainstLog([entry(0, 9)], [span(15, 25)]);
  expect(figures(books)).toEqual([{ archived: 10, behind: 10, deleted: 5 }]);
  expect(books.problems).toEqual([
    'ugc.click/0 of log L: the log has deleted positions 10 to 14 before they were archived',
  ]);
});

test('so is a log that was cut', () => {
  const { problems } = heldAgainstLog([entry(0, 99)], [span(0, 60)]);
  expect(problems).toEqual(['ugc.click/0 of log L: the log ends at 60, and the archive has it up to 100: it was cut']);
});

test('a topic that was made anew is another log: nothing of it is archived, and the one before is no more', () => {
  const books = heldAgainstLog([entry(0, 99)], [span(0, 5, { log: 'M' })]);
  expect(figures(books)).toEqual([{ archived: 0, behind: 5, deleted: 0 }]);
  expect([books.problems, books.words]).toEqual([
    [],
    '5 positions of 1 partitions are not archived yet; 1 archived partitions are of logs that are no more.',
  ]);
});

test('of nothing', () => {
  expect(heldAgainstLog([], []).words).toBe('Everything in the log is archived.');
});
