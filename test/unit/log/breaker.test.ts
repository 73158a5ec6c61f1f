import { expect, test } from 'bun:test';
import { PipelineError } from '../../../src/errors.ts';
import { breakerOf } from '../../../src/log/breaker.ts';

const down = new PipelineError('log_unavailable', 'nobody there');

function clocked() {
  const clock = { nowMs: 1_000 };
  const changes: (string | null)[] = [];
  const breaker = breakerOf({
    budgetMs: 100,
    trialMs: 500,
    failuresMax: 3,
    now: () => clock.nowMs,
    onChange: reason => changes.push(reason),
  });
  return { clock, changes, breaker };
}

test('it opens after so many failures in a row, and an ack between them starts the count anew', () => {
  const { clock, changes, breaker } = clocked();
  breaker.failed(down);
  breaker.failed(down);
  breaker.acked(clock.nowMs);
  breaker.failed(down);
  breaker.failed(down);
  expect(breaker.isOpen).toBe(false);
  breaker.failed(down);
  expect(breaker).toMatchObject({ isOpen: true, reason: 'nobody there' });
  breaker.failed(down);
  expect(changes).toEqual(['nobody there']);
});

test('something overdue opens it, unless another publish was acked since it was sent', () => {
  const slowPart = clocked();
  slowPart.clock.nowMs = 1_050;
  slowPart.breaker.acked(1_040);
  slowPart.breaker.overdue(1_000);
  expect(slowPart.breaker.isOpen).toBe(false);
  const hung = clocked();
  hung.breaker.acked(990);
  hung.clock.nowMs = 1_110;
  hung.breaker.overdue(1_010);
  expect(hung.breaker.isOpen).toBe(true);
});

test('while open one publish in trialMs is let through', () => {
  const { clock, breaker } = clocked();
  breaker.overdue(1_000);
  expect(breaker.allows()).toBe(false);
  clock.nowMs = 1_500;
  expect([breaker.allows(), breaker.allows()]).toEqual([true, false]);
  clock.nowMs = 1_999;
  expect(breaker.allows()).toBe(false);
  clock.nowMs = 2_000;
  expect(breaker.allows()).toBe(true);
});

test('an ack within the budget closes it, a late one does not', () => {
  const { clock, changes, breaker } = clocked();
  breaker.overdue(1_000);
  clock.nowMs = 1_500;
  breaker.acked(1_399);
  expect(breaker.isOpen).toBe(true);
  breaker.acked(1_400);
  expect(breaker.isOpen).toBe(false);
  expect(breaker.allows()).toBe(true);
  expect(changes.at(-1)).toBeNull();
});
