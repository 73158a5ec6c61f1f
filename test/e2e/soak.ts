// `npm run soak -- --rounds=1000`: the rounds of the suites that kill, a hundred of each
// to a seed, for as long as asked. `--only=` and a name of `suites` leaves the others out.

import { join } from 'node:path';

const given = (name: string): string | undefined =>
  process.argv.find(argument => argument.startsWith(`--${name}=`))?.slice(name.length + 3);

const rounds = Number(given('rounds') ?? Number.POSITIVE_INFINITY);
const perSeed = 100;

interface Suite {
  readonly name: string;
  /** The variable that says how many. */
  readonly roundsIn: string;
  /** Its file, and which of its tests, where that is not all of the file of its name. */
  readonly of?: readonly [file: string, tests?: string];
}

const suites: readonly Suite[] = [
  { name: 'kill', roundsIn: 'UGC_TEST_KILL_ROUNDS' },
  { name: 'kafka-chaos', roundsIn: 'UGC_TEST_CHAOS_ROUNDS' },
  { name: 'etl-chaos', roundsIn: 'UGC_TEST_ETL_ROUNDS' },
  { name: 'kafka-topics-chaos', roundsIn: 'UGC_TEST_TOPIC_ROUNDS' },
  { name: 'content-chaos', roundsIn: 'UGC_TEST_CONTENT_ROUNDS' },
  { name: 'archive-chaos', roundsIn: 'UGC_TEST_ARCHIVE_ROUNDS' },
  { name: 'pulsar-chaos', roundsIn: 'UGC_TEST_PULSAR_ROUNDS' },
  { name: 'rabbitmq-chaos', roundsIn: 'UGC_TEST_RABBITMQ_ROUNDS' },
  { name: 'pulsar-etl-chaos', roundsIn: 'UGC_TEST_PULSAR_ETL_ROUNDS' },
  // The targets of the archive, each killed and hung under three archivers at once.
  { name: 's3-chaos', roundsIn: 'UGC_TEST_TARGET_ROUNDS', of: ['../contract/cold-store-s3.test.ts', 'S3 that dies'] },
  { name: 'hdfs-chaos', roundsIn: 'UGC_TEST_TARGET_ROUNDS', of: ['../slow/hdfs.test.ts', 'HDFS whose nodes'] },
];

const wanted = suites.filter(({ name }) => name === (given('only') ?? name));
if (wanted.length === 0) {
  console.error(`there is no ${given('only')} to soak; there are ${suites.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

for (let done = 0; done < rounds; done += perSeed) {
  const count = Math.min(perSeed, rounds - done);
  for (const { name, roundsIn, of = [`${name}.test.ts`] } of wanted) {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const [path, tests] = of;
    const file = join(import.meta.dir, path);
    const filter = tests === undefined ? [] : ['-t', tests];
    const child = Bun.spawn([process.execPath, 'test', '--timeout=3600000', ...filter, file], {
      stdout: 'inherit',
      stderr: 'inherit',
      env: { ...process.env, NODE_ENV: 'production', UGC_TEST_SEED: String(seed), [roundsIn]: String(count) },
    });
    if ((await child.exited) !== 0) {
      console.error(`${name} failed with UGC_TEST_SEED=${seed} ${roundsIn}=${count}, after ${done} rounds`);
      process.exit(1);
    }
  }
  console.log(`${done + count} rounds, nothing lost, nothing that was not sent`);
}
