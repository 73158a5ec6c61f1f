// `npm run bench`: everything, in a few minutes. Names as arguments pick parts; --minutes=10 sets the long run's length.

import { archiveBench } from './archive.bench.ts';
import { archiveBesideBench } from './archive-beside.bench.ts';
import { archiveConnectBench } from './archive-connect.bench.ts';
import { archiveFormatsBench } from './archive-formats.bench.ts';
import { bufferBench } from './buffer.bench.ts';
import { chainBench, drainBench } from './chain.bench.ts';
import { consoleBench } from './console.bench.ts';
import { etlBench } from './etl.bench.ts';
import { finalBench } from './final.bench.ts';
import { footprintBench, steadyBench } from './footprint.bench.ts';
import { freshnessBench } from './freshness.bench.ts';
import { ingestBench } from './ingest.bench.ts';
import { judgeBench } from './judge.bench.ts';
import { kafkaBench } from './kafka.bench.ts';
import { logsBench } from './logs.bench.ts';
import { outageBench } from './outage.bench.ts';
import { machine } from './process.ts';
import { keep, markdown, type Row } from './report.ts';

const option = (name: string, standard: number): number =>
  Number(process.argv.find(argument => argument.startsWith(`--${name}=`))?.split('=')[1] ?? standard);

const parts: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  judge: async () => judgeBench(),
  archive: () => archiveBench(option('archive-events', 1_000_000)),
  'archive-beside': () => archiveBesideBench(option('archive-events', 2_000_000)),
  'archive-formats': () => archiveFormatsBench(option('archive-events', 300_000)),
  'archive-connect': () => archiveConnectBench(option('archive-events', 2_000_000)),
  footprint: footprintBench,
  buffer: bufferBench,
  ingest: () => ingestBench(option('seconds', 10)),
  logs: () => logsBench(option('seconds', 10)),
  kafka: () => kafkaBench(option('seconds', 10)),
  outage: () => outageBench(option('seconds', 10)),
  drain: () => drainBench(option('seconds', 10)),
  freshness: async () => [await freshnessBench(10, 20), await freshnessBench(1_000, 20)],
  chain: () => chainBench(option('chain-seconds', 60)),
  console: () => consoleBench(option('console-seconds', 40)),
  etl: () =>
    etlBench({
      rows: option('rows', 1_000_000),
      seconds: option('seconds', 10),
      chainSeconds: option('chain-seconds', 60),
      drainsOnly: option('drains-only', 0) === 1,
    }),
  final: () => finalBench(option('final-rows', 10_000_000)),
  steady: () => steadyBench(option('minutes', 10)),
};

const wanted = process.argv.slice(2).filter(argument => !argument.startsWith('--'));
const unknown = wanted.filter(name => !(name in parts));
if (unknown.length > 0) {
  console.error(`no such part: ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);
  process.exit(2);
}
console.log(machine());
const sections = new Map<string, readonly Row[]>();
// Long ones are asked for by name only.
const long = new Set(['final', 'steady']);
for (const name of wanted.length > 0 ? wanted : Object.keys(parts).filter(part => !long.has(part))) {
  console.log(`\n## ${name}`);
  const rows = await parts[name]!();
  sections.set(name, rows);
  console.log(markdown(rows));
}
console.log(`\nkept in ${await keep(sections)}`);
process.exit(0);
