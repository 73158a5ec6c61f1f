// More than can be done: an open loop at shares of the most that a closed loop gets done, `bun run bench/overload.bench.ts
// [BUILD] [--size=100] [--seconds=5]`. Goodput is what was answered with success; latencies are of those, from when each was
// due, so what waits in front of a busy server is in them. Load and server share the cores.

import { resolve } from 'node:path';
import { binary, startUgc, temporaryFolder } from '../test/support/ugc.ts';
import { bodiesOf, load } from './load.ts';
import { latenciesOf, openLoad, type Sample } from './open-load.ts';
import { machine, percentile } from './process.ts';
import { markdown, type Row } from './report.ts';

const number = (name: string, standard: number): number =>
  Number(process.argv.find(argument => argument.startsWith(`--${name}=`))?.split('=')[1] ?? standard);
const [build = binary] = process.argv.slice(2).filter(argument => !argument.startsWith('--'));
const size = number('size', 100);
const seconds = number('seconds', 5);
const shares = [0.5, 0.8, 1, 1.5, 2, 3];

/** Without what was waited for a connection of the 4 000 that the load has. */
const servedIn = (samples: readonly Sample[]): number[] =>
  samples.map(({ sentAtMs, answeredAtMs }) => answeredAtMs - sentAtMs).sort((a, b) => a - b);

const bodies = bodiesOf(size, size === 1 ? 500 : 20);
const flags = ['--role=ingest', '--request-log=false', '--buffer-bytes-max=64GiB'];
const ugc = await startUgc({ dataDir: temporaryFolder(), flags, command: resolve(build) });
const { url } = ugc;
await load({ url, bodies, connections: 64, seconds: 3 }); // compiles what is hot
const { requestsPerS: most } = await load({ url, bodies, connections: 64, seconds });

const table: Row[] = [];
for (const share of shares) {
  const startedAt = performance.now();
  const loading = await openLoad({ url, bodies, perSecond: most * share });
  await Bun.sleep(seconds * 1_000);
  const samples = await loading.stop();
  const took = (performance.now() - startedAt) / 1_000;
  const good = samples.filter(({ status }) => status === 200);
  const times = latenciesOf(good);
  table.push({
    what: `${share} of the most`,
    asked: Math.round(most * share),
    good: Math.round(good.length / took),
    'to the most': (good.length / took / most).toFixed(2),
    'p50 ms': percentile(times, 0.5).toFixed(0),
    'p99 ms': percentile(times, 0.99).toFixed(0),
    'p99 from sent ms': percentile(servedIn(good), 0.99).toFixed(0),
    refused: samples.filter(({ status }) => status === 503).length,
    cut: samples.filter(({ status }) => status === 0).length,
    'done after s': took.toFixed(1),
  });
  await Bun.sleep(1_000);
}
console.log(
  `${machine()}\n\n${size} a POST; the most of a closed loop: ${Math.round(most)} requests/s\n\n${markdown(table)}`,
);
ugc.kill('SIGKILL');
process.exit(0);
