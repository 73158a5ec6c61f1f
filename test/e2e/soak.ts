// `npm run soak -- --rounds=1000`: the kill rounds of kill.test.ts, a hundred to a seed, for as long as asked.

import { join } from 'node:path';

const rounds = Number(
  process.argv.find(argument => argument.startsWith('--rounds='))?.slice(9) ?? Number.POSITIVE_INFINITY,
);
const perSeed = 100;
for (let done = 0; done < rounds; done += perSeed) {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const child = Bun.spawn([process.execPath, 'test', '--timeout=3600000', join(import.meta.dir, 'kill.test.ts')], {
    stdout: 'inherit',
    stderr: 'inherit',
    env: {
      ...process.env,
      NODE_ENV: 'production',
      UGC_TEST_SEED: String(seed),
      UGC_TEST_KILL_ROUNDS: String(Math.min(perSeed, rounds - done)),
    },
  });
  if ((await child.exited) !== 0) {
    console.error(`failed with UGC_TEST_SEED=${seed} after ${done} rounds`);
    process.exit(1);
  }
  console.log(`${Math.min(done + perSeed, rounds)} rounds, nothing lost, nothing doubled`);
}
