// A process that reads topics as a mover would and may be killed or stopped: every record it has polled is a line on
// stdout, and so is every commit that has resolved. `commit` on stdin commits what was polled until then.

import { commitAll, linesOf, nameOf, read, sourcesOf } from './kafka-source.ts';

const [brokers, groupId, topics, mode] = process.argv.slice(2) as [string, string, string, 'commits' | 'waits'];
const source = sourcesOf(() => ({ brokers: brokers.split(',') })).open(groupId, topics.split(','));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const polled: Awaited<ReturnType<typeof read>> = [];

async function poll(): Promise<void> {
  for (;;) {
    const batches = await read(source, 1, { msMax: 600_000 });
    polled.push(...batches);
    for (const name of batches.flatMap(linesOf).map(nameOf)) say(`polled ${name}`);
    if (mode === 'commits') await commit();
  }
}

async function commit(): Promise<void> {
  await commitAll(source, polled.splice(0));
  say('committed');
}

void poll();
for await (const line of console) if (line === 'commit') await commit();
