import { expect, test } from 'bun:test';
import { waitingBytes } from '../../../src/process/waiting-bytes.ts';

test('one alone fits, whatever its size; beside others only below the most', () => {
  const waiting = waitingBytes(10);
  expect(waiting.fits(100)).toBe(true);
  waiting.add(4);
  expect([waiting.fits(6), waiting.fits(7)]).toEqual([true, false]);
  waiting.remove(4);
  expect(waiting.bytes).toBe(0);
  expect(waiting.fits(100)).toBe(true);
});

test('waits until nothing does', async () => {
  const waiting = waitingBytes(10);
  await waiting.whenNone();
  waiting.add(3);
  waiting.add(4);
  const none = waiting.whenNone();
  waiting.remove(3);
  expect(await Promise.race([none.then(() => 'none'), Bun.sleep(0).then(() => 'some')])).toBe('some');
  waiting.remove(4);
  await none;
});

test('or no longer than it is to', async () => {
  const waiting = waitingBytes(10);
  waiting.add(1);
  await waiting.whenNone(1);
  expect(waiting.bytes).toBe(1);
});
