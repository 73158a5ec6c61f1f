import { expect, test } from 'bun:test';
import { folderColdStore } from '../../../src/adapters/cold-folder/store.ts';
import { keepVerification, lastVerification, type Verification } from '../../../src/archive/verified.ts';
import { temporaryFolder } from '../../support/ugc.ts';

async function prepared() {
  const store = folderColdStore(temporaryFolder());
  await store.prepare();
  return store;
}

const found = (more: Partial<Verification> = {}): Verification => ({
  ...{ at: '2026-11-28T12:00:00.000Z', closes: true, wholeTo: '2026-11-27', problems: [], ...more },
});

test('nobody has looked; then the last one who did counts, and the oldest are gone in time', async () => {
  const store = await prepared();
  expect(await lastVerification(store)).toBeNull();
  for (let day = 1; day <= 25; day++)
    await keepVerification(store, found({ at: `2026-11-${String(day).padStart(2, '0')}T00:00:00.000Z` }));
  const last = found({
    at: '2026-11-28T12:00:00.000Z',
    closes: false,
    wholeTo: null,
    problems: ['a file is not there'],
  });
  await keepVerification(store, last);
  expect(await lastVerification(store)).toEqual(last);
  expect((await store.list('_ugc/verified')).length).toBe(20);
});

test.each(['', '{}', '[]', 'null', '{"at":"never","closes":true}', '{"at":"2026-11-28","closes":1}'])(
  'what is damaged, as %p, is none',
  async text => {
    const store = await prepared();
    await store.create('_ugc/verified/20261128T120000000Z.json', Buffer.from(text));
    expect(await lastVerification(store)).toBeNull();
  },
);
