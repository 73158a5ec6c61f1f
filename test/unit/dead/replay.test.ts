// Which place a dead letter is judged at when it is tried once more: the one the mover would say when it came again.

import { expect, test } from 'bun:test';
import { memorySink } from '../../../src/adapters/memory/sink.ts';
import { replay } from '../../../src/dead/replay.ts';
import { sortForeign } from '../../../src/mover/foreign.ts';
import { lettersOf } from '../../../src/mover/records.ts';
import type { FoundLetter, Letters } from '../../../src/ports/letters.ts';
import type { Batch } from '../../../src/ports/source.ts';
import { isPlaceOfBytes } from '../../../src/record/place.ts';
import { batchOf } from '../../support/list-source.ts';

const placed = batchOf({ topic: 't', partition: 3, type: null, bodies: ['{"a":1}', '{"b":2}'] }, 41);
const { first: _, last: __, ...unplaced }: Batch = placed;

async function positionsAt(batch: Batch): Promise<(number | null)[]> {
  const found = lettersOf(batch, 'invalid', '');
  const letters = {
    find: async () => found as unknown as FoundLetter[],
    markReplayed: async () => {},
  } as unknown as Letters;
  const positions: (number | null)[] = [];
  await replay({
    letters,
    sink: memorySink(),
    judge: ({ position }) => {
      positions.push(position);
      return { ok: false, reason: 'invalid', detail: '' };
    },
    filter: {},
    dryRun: true,
  });
  return positions;
}

test('a letter of a log with positions is judged at its own', async () => {
  expect(await positionsAt(placed)).toEqual([41, 42]);
});

test('a letter of a record judged alone is, too, though it was kept without the line break of its batch', async () => {
  const { letters } = sortForeign(unplaced, () => ({ ok: false, reason: 'invalid', detail: '' }));
  expect(letters.map(letter => isPlaceOfBytes(letter, letter.raw))).toEqual([true, true]);
});

test('a letter that its bytes alone tell from others is judged as one without a position', async () => {
  expect(await positionsAt(unplaced)).toEqual([null, null]);
});
