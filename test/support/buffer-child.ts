// A process with a buffer, made to be killed. `append` keeps several appends under way and prints the ids of each after
// its ack; `move` prints the ids of each poll, then commits. One line a group, ids with spaces between.
//
//   bun test/support/buffer-child.ts append|move <path> <prefix>

import { writeSync } from 'node:fs';
import { sqliteBuffer } from '../../src/adapters/disk/log/buffer.ts';
import { childTypes, commitAll, envelope, idsOf, noTopics } from './buffer.ts';

const [mode, path = '', prefix = ''] = process.argv.slice(2);
const buffer = await sqliteBuffer({
  path,
  bytesMax: 2 ** 30,
  diskReserveBytes: 0,
  log: { error: (fields, message) => writeSync(2, `${message} ${JSON.stringify(fields)}\n`) },
});
const say = (ids: readonly string[]): void => void writeSync(1, `${ids.join(' ')}\n`);

if (mode === 'append') {
  let next = 0;
  const appendOn = async (): Promise<never> => {
    for (;;) {
      const group = Array.from({ length: 1 + (next % 40) }, () =>
        envelope(`${prefix}-${next++}`, childTypes[next % 3], 'x'.repeat(next % 500)),
      );
      await buffer.append(group);
      say(group.map(({ id }) => id));
    }
  };
  await Promise.all(Array.from({ length: 8 }, appendOn));
} else {
  const source = buffer.source('etl');
  for (;;) {
    const batches = await source.poll({ paused: noTopics, bytesMax: 2 ** 18 }, new AbortController().signal);
    say(idsOf(batches));
    await commitAll(source, batches);
  }
}
