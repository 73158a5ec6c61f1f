import { expect, test } from 'bun:test';
import { waitingPoll } from '../../../src/process/waiting-poll.ts';

function shelf() {
  const things: string[] = [];
  let isClosed = false;
  const polling = waitingPoll(
    (most: number) => things.splice(0, most),
    () => isClosed,
  );
  return {
    ...polling,
    bring: (...brought: string[]) => {
      things.push(...brought);
      polling.wake();
    },
    close: () => {
      isClosed = true;
      polling.wake();
    },
  };
}

const never = (): AbortSignal => new AbortController().signal;

test('what is there is taken at once, and no more than is wanted', async () => {
  const { poll, bring } = shelf();
  bring('a', 'b', 'c');
  expect(await poll(2, never())).toEqual(['a', 'b']);
  expect(await poll(2, never())).toEqual(['c']);
});

test('it waits for what comes, however often it is woken for nothing', async () => {
  const { poll, bring, wake } = shelf();
  const polled = poll(9, never());
  wake();
  await Bun.sleep(0);
  wake();
  await Bun.sleep(0);
  bring('a');
  expect(await polled).toEqual(['a']);
});

test('an aborted poll has nothing, and what comes later is the next one’s', async () => {
  const { poll, bring } = shelf();
  const ending = new AbortController();
  const polled = poll(9, ending.signal);
  ending.abort();
  expect(await polled).toEqual([]);
  bring('a');
  expect(await poll(9, ending.signal)).toEqual([]);
  expect(await poll(9, never())).toEqual(['a']);
});

test('closed, it waits no more', async () => {
  const { poll, close, bring } = shelf();
  const polled = poll(9, never());
  close();
  expect(await polled).toEqual([]);
  bring('a');
  expect(await poll(9, never())).toEqual([]);
});
