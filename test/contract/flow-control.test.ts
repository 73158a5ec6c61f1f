import { expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileFlowControl } from '../../src/adapters/flow-file/control.ts';
import { memoryFlowControl, memoryWishes } from '../../src/adapters/memory/flow-control.ts';
import { quietLogger as logger } from '../support/quiet.ts';
import { temporaryFolder } from '../support/ugc.ts';
import { until } from '../support/until.ts';
import { flowControlContract } from './flow-control.contract.ts';

flowControlContract('memory', async () => {
  const kept = memoryWishes();
  return { open: () => memoryFlowControl(kept) };
});

flowControlContract('a file', async () => {
  const path = join(temporaryFolder(), 'flows.json');
  return { open: () => fileFlowControl({ path, logger }) };
});

test.each([
  ['{"flows":', 'is not JSON'],
  ['{}', 'flows must be a list'],
  ['[]', 'flows must be a list'],
  ['{"flows":[{"flow":"tables","state":"asleep","by":"a","at":"2026-11-21T12:00:00Z","why":"b"}]}', '/flows/0'],
  ['{"flows":[{"flow":"nothing","state":"paused","by":"a","at":"2026-11-21T12:00:00Z","why":"b"}]}', '/flows/0'],
  [`{"flows":[${'{},'.repeat(2_000_000)}{}]}`, 'larger than'],
])('a file that is none is refused in words, case %#', async (text, words) => {
  const path = join(temporaryFolder(), 'flows.json');
  writeFileSync(path, text);
  expect(() => fileFlowControl({ path, logger })).toThrow(words);
});

test('a file that becomes wrong changes nothing, and it is said; once it is right again it counts', async () => {
  const path = join(temporaryFolder(), 'flows.json');
  const control = fileFlowControl({ path, logger });
  const wish = { flow: 'tables', state: 'paused', by: 'a', at: '2026-11-21T12:00:00.000Z', why: 'b' } as const;
  await control.wish(wish);
  writeFileSync(path, 'not at all');
  await until(() => control.problem() !== null, 'a problem');
  expect(control.wishes()?.get('tables')?.state).toBe('paused');
  writeFileSync(path, JSON.stringify({ flows: [{ ...wish, state: 'running' }] }));
  await until(() => control.problem() === null, 'no problem');
  expect(control.wishes()?.get('tables')?.state).toBe('running');
  await control.close();
});
