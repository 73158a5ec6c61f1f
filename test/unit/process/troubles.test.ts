import { expect, test } from 'bun:test';
import { PipelineError } from '../../../src/errors.ts';
import type { Logger } from '../../../src/process/telemetry.ts';
import { troublesOf } from '../../../src/process/troubles.ts';

test('what is not well is told once, in words and without a stack, and so is its end', () => {
  const told: unknown[][] = [];
  const tell = (...args: unknown[]) => void told.push(args);
  const troubles = troublesOf({
    name: 'kafka',
    title: 'Kafka',
    logger: { info: tell, warn: tell, error: tell } as unknown as Logger,
  });
  for (let times = 0; times < 3; times++)
    troubles.tell(
      'group',
      new PipelineError('log_unavailable', 'the group has no coordinator now', { cause: new Error('x') }),
    );
  expect(troubles.problem()).toBe('the group has no coordinator now');
  troubles.clear('group');
  troubles.clear('group');
  expect(troubles.problem()).toBeNull();
  expect(told).toEqual([
    [
      { code: 'log_unavailable', transport: 'kafka', subject: 'group' },
      'reading from Kafka is interrupted: the group has no coordinator now',
    ],
    [{ transport: 'kafka', subject: 'group' }, 'reading from Kafka goes on'],
  ]);
});
