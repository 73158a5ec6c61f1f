// What an exact read costs: the same question to an exact table, which is read with FINAL, and to the rows under it, once
// they are merged. Embedded engine, rows made by it.

import { startUgc, temporaryFolder, type Ugc } from '../test/support/ugc.ts';
import { cpuUs } from './process.ts';
import type { Row } from './report.ts';

const rounds = 7;
const insertRows = 1_000_000;

const questions = {
  'rows by country and device': 'SELECT country, device, count() FROM {table} GROUP BY country, device',
  'users by day': 'SELECT toDate(timestamp) AS day, uniq(user_id) FROM {table} GROUP BY day',
  'one hour of one page': `SELECT count() FROM {table} WHERE page_url = 'https://example.com/films/7' AND timestamp >= now() - 3600`,
} as const;

export async function finalBench(rows: number): Promise<Row[]> {
  const ugc = await startUgc({
    dataDir: temporaryFolder(),
    flags: ['--role=etl', '--clickhouse-http-readonly=false'],
  });
  try {
    for (let at = 0; at < rows; at += insertRows) await ask(ugc, insertOf(at, Math.min(insertRows, rows - at)));
    await ask(ugc, 'OPTIMIZE TABLE ugc.click_rows FINAL');
    const results: Row[] = [];
    for (const [what, question] of Object.entries(questions)) results.push(await compared(ugc, what, question));
    return results.map(row => ({ ...row, note: `${rows.toLocaleString('en')} merged rows; median of ${rounds}` }));
  } finally {
    await ugc.stop();
  }
}

async function compared(ugc: Ugc, what: string, question: string): Promise<Row> {
  const plain: Cost[] = [];
  const exact: Cost[] = [];
  for (let round = 0; round < rounds; round++) {
    plain.push(await costOf(ugc, question.replace('{table}', 'ugc.click_rows')));
    exact.push(await costOf(ugc, question.replace('{table}', 'ugc.click')));
  }
  return {
    what,
    'plain ms': median(plain.map(({ ms }) => ms)),
    'exact ms': median(exact.map(({ ms }) => ms)),
    'exact / plain': median(exact.map(({ ms }) => ms)) / median(plain.map(({ ms }) => ms)),
    'plain core-ms': median(plain.map(({ coreMs }) => coreMs)),
    'exact core-ms': median(exact.map(({ coreMs }) => coreMs)),
  };
}

interface Cost {
  readonly ms: number;
  readonly coreMs: number;
}

async function costOf(ugc: Ugc, question: string): Promise<Cost> {
  const before = { us: cpuUs(ugc.pid), ms: performance.now() };
  await ugc.query(question);
  return { ms: performance.now() - before.ms, coreMs: (cpuUs(ugc.pid) - before.us) / 1_000 };
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** Clicks of three weeks, of fifty thousand users on a hundred pages. */
const insertOf = (from: number, count: number): string =>
  `INSERT INTO ugc.click_rows (event_id, event_type, schema_version, received_at, source, ip, user_agent, timestamp, user_id, country, device, element, page_url)
   SELECT generateUUIDv7(number), 'click', 1, received, 'web', '203.0.113.7', 'Mozilla/5.0', received, concat('user-', toString(rand(2) % 50000)),
     ['US', 'DE', 'FR', 'BR', 'IN'][1 + rand(3) % 5], ['mobile', 'desktop', 'tv'][1 + rand(4) % 3], 'play', concat('https://example.com/films/', toString(rand(5) % 100))
   FROM (SELECT number, now64(3) - toIntervalSecond(rand(1) % 1814400) AS received FROM numbers(${from}, ${count}))`;

async function ask(ugc: Ugc, statement: string): Promise<void> {
  const response = await fetch(ugc.clickhouseUrl, { method: 'POST', body: statement });
  if (!response.ok) throw new Error(await response.text());
}
