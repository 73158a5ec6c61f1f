// Start to first 200, memory at rest, and memory over a long steady run.

import { clientEvent } from '../test/support/events.ts';
import { randomOf } from '../test/support/random.ts';
import { typeFiles, typeJson } from '../test/support/type-files.ts';
import { startUgc, temporaryFolder } from '../test/support/ugc.ts';
import { bodiesOf, load } from './load.ts';
import { residentMb } from './process.ts';
import type { Row } from './report.ts';

/** So many types beside the built-in ones, as files. */
const typesOfFiles = 200;

export async function footprintBench(): Promise<Row[]> {
  const files = typeFiles(temporaryFolder());
  for (let n = 0; n < typesOfFiles; n++) files.write(typeJson(`watched_${n}`));
  const many = `, ${typesOfFiles} types of files`;
  return [...(await startsOf('', [])), ...(await startsOf(many, [`--schemas-dir=${files.folder}`]))];
}

/** A first start, and the next on what it left. */
async function startsOf(beside: string, flags: readonly string[]): Promise<Row[]> {
  const dataDir = temporaryFolder();
  const rows: Row[] = [];
  for (const what of ['fresh folder', 'the same folder again']) {
    const startedAt = performance.now();
    const ugc = await startUgc({ dataDir, flags });
    const response = await ugc.post(clientEvent(randomOf('footprint')));
    const ms = performance.now() - startedAt;
    await Bun.sleep(3_000);
    rows.push({
      what: `start, ${what}${beside}`,
      'first 200 after ms': Math.round(ms),
      'RSS at rest MB': residentMb(ugc.pid),
      note: `status ${response.status}`,
    });
    await ugc.stop();
  }
  return rows;
}

/** Resident memory while `minutes` of steady load go by: after a warm-up, and at the end. */
export async function steadyBench(minutes: number): Promise<Row[]> {
  const ugc = await startUgc({ dataDir: temporaryFolder() });
  const bodies = bodiesOf(10, 100);
  const samples: number[] = [];
  const ending = performance.now() + minutes * 60_000;
  while (performance.now() < ending) {
    await load({ url: ugc.url, bodies, connections: 2, seconds: 5 });
    samples.push(residentMb(ugc.pid));
    await Bun.sleep(10_000);
  }
  await ugc.stop();
  const half = samples.slice(Math.floor(samples.length / 4));
  return [
    {
      what: `RSS over ${minutes} min`,
      'after a quarter MB': half[0] ?? 0,
      'at the end MB': half.at(-1) ?? 0,
      note: `samples ${samples.join(' ')}`,
    },
  ];
}
