import { expect, test } from 'bun:test';
import { timed } from '../../../src/process/sleep.ts';

const late = () => {
  throw new Error('late');
};

test('work that ends in time is what it comes to, good or bad', async () => {
  expect(await timed(60_000, Promise.resolve('done'), late)).toBe('done');
  expect(timed(60_000, Promise.reject(new Error('broken')), late)).rejects.toThrow('broken');
});

test('work that does not end is what is said of it then, also an error', async () => {
  const never = new Promise<string>(() => {});
  expect(await timed(1, never, () => 'given up')).toBe('given up');
  expect(timed(1, never, late)).rejects.toThrow('late');
});
