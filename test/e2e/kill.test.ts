import { expect, test } from 'bun:test';
import { load, newLedger } from '../support/load.ts';
import { compare } from '../support/oracle.ts';
import { randomOf } from '../support/random.ts';
import { startUgc, temporaryFolder } from '../support/ugc.ts';

const rounds = Number(process.env.UGC_TEST_KILL_ROUNDS ?? 30);

test(`${rounds} times killed with -9 under load, every 200 is exactly one row`, async () => {
  const random = randomOf('kill');
  const dataDir = temporaryFolder();
  const ledger = newLedger();
  for (let round = 0; round < rounds; round++) {
    const ugc = await startUgc({ dataDir, flags: ['--request-log=false'] });
    const loading = new AbortController();
    const done = load({ url: ugc.url, random, ledger, clients: random.between(1, 12), signal: loading.signal });
    await Bun.sleep(random.between(20, 900)); // the moment of death is the random part
    ugc.kill('SIGKILL');
    loading.abort();
    await Promise.all([done, ugc.exited]);
  }
  const ugc = await startUgc({ dataDir });
  const finding = await compare(ugc, ledger);
  console.log(`kill: ${finding.acked} acked, ${finding.rows} rows, ${ledger.rejected.size} rejected`);
  expect(finding).toMatchObject({ lost: [], doubled: [], foreign: [] });
  expect(finding.acked).toBeGreaterThan(rounds * 10);
  const [all] = await ugc.query<{ rows: number; ids: number }>(
    'SELECT count() AS rows, uniqExact(event_id) AS ids FROM ugc.events',
  );
  expect(all).toEqual({ rows: finding.rows, ids: finding.rows });
  expect(await ugc.stop()).toBe(0);
});
