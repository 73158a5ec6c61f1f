// One event and a hundred a POST, 64 connections, answered after the SQLite commit: role ingest alone, then all roles.

import { startUgc, temporaryFolder } from '../test/support/ugc.ts';
import { bodiesOf, load } from './load.ts';
import { cpuUs, residentMb } from './process.ts';
import type { Row } from './report.ts';

export async function ingestBench(seconds: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const role of ['ingest', 'all'])
    for (const size of [1, 100]) {
      const ugc = await startUgc({ dataDir: temporaryFolder(), flags: [`--role=${role}`] });
      const bodies = bodiesOf(size, size === 1 ? 500 : 20);
      await load({ url: ugc.url, bodies, connections: 64, seconds: 2 });
      const before = cpuUs(ugc.pid);
      const result = await load({ url: ugc.url, bodies, connections: 64, seconds });
      const us = cpuUs(ugc.pid) - before;
      rows.push({
        what: `POST ${size === 1 ? 'one event' : `${size} events`}, role ${role}`,
        'events/s': Math.round(result.requestsPerS * size),
        'core-µs/event': us / (result.requests * size),
        'p50 ms': result.p50Ms,
        'p99 ms': result.p99Ms,
        note: `${result.tool} -c64, ${result.bad} bad, RSS ${residentMb(ugc.pid)} MB`,
      });
      ugc.kill('SIGKILL'); // what is left in the buffer is not measured here
      await ugc.exited;
    }
  return rows;
}
