// Two builds, or more, side by side: `bun run bench/pairs.ts OLD NEW [--kafka] [--size=100] [--rounds=20] [--role=all]`,
// and `--idle=20` for what they take at rest. All of them run at once, and short bursts go to each in a new order every
// round; a round's figures are compared with those of the first build in the same round. So a machine that is slow for a
// minute is slow for all of them: a difference of 2 % shows, where runs one after the other differ by 20 %.
// What the door costs (door.ts): one build, asking for more or less: `dist/ugc dist/ugc:jwt dist/ugc:keys,cors,limits`.

import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { startKafka } from '../test/support/kafka.ts';
import { startUgc, temporaryFolder, type Ugc } from '../test/support/ugc.ts';
import { atTheDoor } from './door.ts';
import { brokerFlags } from './kafka.bench.ts';
import { bodiesOf, load } from './load.ts';
import { machine, residentMb } from './process.ts';
import { markdown, type Row } from './report.ts';
import { at, inNewOrder, toTheFirst } from './rounds.ts';

const text = (name: string, standard: string): string =>
  process.argv.find(argument => argument.startsWith(`--${name}=`))?.split('=')[1] ?? standard;
const number = (name: string, standard: number): number => Number(text(name, String(standard)));

/** Core-µs so far: of the thread that answers requests, of the buffer's, of all others, and together. */
function threadsUs(pid: number): readonly number[] {
  const us = { main: 0, worker: 0, others: 0 };
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const about = (name: string) => readFileSync(`/proc/${pid}/task/${thread}/${name}`, 'utf8').trim();
    try {
      const part = thread === String(pid) ? 'main' : about('comm') === 'Worker' ? 'worker' : 'others';
      us[part] += Number(about('schedstat').split(' ')[0]) / 1_000;
    } catch {} // it has just ended
  }
  return [us.main, us.worker, us.others, us.main + us.worker + us.others];
}

/** Takes whatever passes, as it comes. */
async function readAlong({ url }: Ugc): Promise<void> {
  const response = await fetch(`${url}/v1/stream`);
  if (!response.ok || response.body === null) throw new Error(`the stream is answered ${response.status}`);
  for await (const _ of response.body);
}

interface Running {
  readonly command: string;
  readonly ugc: Ugc;
  readonly headers: Readonly<Record<string, string>>;
  /** A round each: as threadsUs, by what was asked for. */
  readonly rounds: number[][];
}

const commands = process.argv.slice(2).filter(argument => !argument.startsWith('--'));
if (commands.length < 2) {
  console.error('which builds? bun run bench/pairs.ts OLD NEW [--kafka] [--size=1] [--rounds=20] [--idle=SECONDS]');
  process.exit(2);
}
const size = number('size', 1);
const idleSeconds = number('idle', 0);
const kafka = process.argv.includes('--kafka') ? await startKafka({ flags: brokerFlags }) : null;
const flags = [`--role=${text('role', 'ingest')}`, ...(kafka ? [`--kafka-brokers=${kafka.brokers.join(',')}`] : [])];
const bodies = bodiesOf(size, size === 1 ? 500 : 20);
const burst = async ({ ugc, headers, command }: Omit<Running, 'rounds'>, seconds: number) => {
  const result = await load({ url: ugc.url, bodies, headers, connections: 64, seconds });
  if (result.bad > 0) throw new Error(`${command}: ${result.bad} answers were no success`);
  return result;
};

const running: Running[] = [];
for (const command of commands) {
  const [build = '', wanted = ''] = command.split(':');
  const dataDir = temporaryFolder();
  const door = atTheDoor(wanted.split(',').filter(Boolean), dataDir);
  const ugc = await startUgc({ dataDir, flags: [...flags, ...door.flags], command: resolve(build) });
  const one = { command, ugc, headers: door.headers, rounds: [] };
  if (wanted.split(',').includes('stream')) void readAlong(ugc);
  if (idleSeconds === 0) await burst(one, 3); // compiles what is hot
  running.push(one);
}

if (idleSeconds > 0) {
  await Bun.sleep(number('settle', 20) * 1_000);
  const before = running.map(({ ugc }) => threadsUs(ugc.pid));
  await Bun.sleep(idleSeconds * 1_000);
  running.forEach(({ ugc, rounds }, at) => {
    rounds.push(threadsUs(ugc.pid).map((us, part) => (us - before[at]![part]!) / idleSeconds / 1e4));
  });
} else
  for (let round = 0; round < number('rounds', 20); round++)
    for (const one of inNewOrder(running)) {
      const { ugc, rounds } = one;
      const before = threadsUs(ugc.pid);
      const { requests } = await burst(one, 1);
      await Bun.sleep(30); // what follows an answer is its cost, too
      rounds.push(threadsUs(ugc.pid).map((us, part) => (us - before[part]!) / (requests * size)));
    }

const unit = idleSeconds > 0 ? '% of a core' : 'core-µs/event';
const together = (rounds: readonly number[][]): number[] => rounds.map(round => round[3]!);
const table = running.map(({ command, ugc, rounds }): Row => {
  const ofPart = (part: number) =>
    at(
      rounds.map(round => round[part]!),
      0.5,
    ).toFixed(2);
  return {
    what: command,
    [unit]: ofPart(3),
    main: ofPart(0),
    buffer: ofPart(1),
    others: ofPart(2),
    ...toTheFirst(together(rounds), together(running[0]!.rounds)),
    MB: residentMb(ugc.pid),
  };
});
console.log(
  `${machine()}\n\n${flags.join(' ')}, ${idleSeconds > 0 ? 'at rest' : `${size} a POST`}\n\n${markdown(table)}`,
);
for (const { ugc } of running) ugc.kill('SIGKILL');
await kafka?.stopForGood();
process.exit(0);
