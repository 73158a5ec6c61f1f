// The content role beside what a team would write instead (bench/peers/content-*): the same statements on the same
// PostgreSQL, the same cores and load, in one run: `bun run bench/content.bench.ts [--seconds=5] [--only=sqlite,ugc,fastify,fastapi]`.
// Lines of SQLite have no peer. core-µs are of the server's processes; PostgreSQL's stand beside.

import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../test/support/free-ports.ts';
import { startPostgres, type TestPostgres } from '../test/support/postgres.ts';
import { hmacTokenOf } from '../test/support/tokens.ts';
import { cleanUp, startUgc, temporaryFolder } from '../test/support/ugc.ts';
import { until } from '../test/support/until.ts';
import { closedLoad, requestBytes } from './closed-load.ts';
import { contentStatements, foldStatement } from './content-statements.ts';
import { usualClaims } from './door.ts';
import { machine } from './process.ts';
import { tree, treeUs } from './process-tree.ts';
import { keep, markdown, type Row } from './report.ts';

const option = (name: string, standard: string): string =>
  process.argv.find(argument => argument.startsWith(`--${name}=`))?.slice(name.length + 3) ?? standard;
const seconds = Number(option('seconds', '5'));
const only = option('only', 'sqlite,ugc,fastify,fastapi').split(',');

const secret = 'a secret of thirty-two bytes or more, for a measurement';
const users = 2_000;
const films = 5_000;
const connections = 64;
const tokens = Array.from({ length: users }, (_, at) =>
  hmacTokenOf(secret, { ...usualClaims(), sub: `user-${at}`, scope: 'content:write' }),
);

/** Each a change: who comes round again says the opposite. */
const like = (n: number, film: number): Buffer =>
  requestBytes(
    'PUT',
    `/v1/films/film-${film}/like`,
    { authorization: `Bearer ${tokens[n % users]}`, 'content-type': 'application/json' },
    JSON.stringify({ value: Math.floor(n / users) % 2 === 0 ? 1 : -1 }),
  );

interface Server {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  stop(): Promise<unknown>;
}

async function measured(server: Server, postgres: TestPostgres | null): Promise<Row[]> {
  const kinds: readonly (readonly [string, (n: number) => Buffer])[] = [
    ['likes on many films', n => like(n, (n * 7919) % films)],
    ['likes on one film', n => like(n, 1)],
    ['reads of counts', n => requestBytes('GET', `/v1/films/film-${(n * 7919) % films}`, {})],
  ];
  const rows: Row[] = [];
  for (const [what, request] of kinds) {
    // Numbered on from the warm-up, or the first round would change nothing.
    let n = 0;
    const options = { url: server.url, connections, request: () => request(n++) };
    await closedLoad({ ...options, seconds: 1 });
    const before = { us: treeUs(server.pid), postgresUs: postgresUs(postgres) };
    const result = await closedLoad({ ...options, seconds });
    rows.push({
      what: `${server.name}: ${what}`,
      'requests/s': Math.round(result.requestsPerS),
      'p50 ms': result.p50Ms,
      'p95 ms': result.p95Ms,
      'p99 ms': result.p99Ms,
      'core-µs/request': (treeUs(server.pid) - before.us) / result.requests,
      'PostgreSQL core-µs/request': (postgresUs(postgres) - before.postgresUs) / result.requests,
      note: result.bad === 0 ? '' : `${result.bad} bad`,
    });
    console.error(JSON.stringify(rows.at(-1)));
  }
  return rows;
}

const postgresUs = (postgres: TestPostgres | null): number => (postgres === null ? Number.NaN : treeUs(postgres.pid()));

async function ours(name: string, database: string): Promise<Server> {
  const flags = ['--role=content', '--auth=jwt', `--jwt-secret=${secret}`, '--jwt-audience=*', '--request-log=false'];
  const more = database === '' ? [] : [`--database-url=${database}`];
  const ugc = await startUgc({ dataDir: temporaryFolder(), flags: [...flags, ...more] });
  return { name, url: ugc.url, pid: ugc.pid, stop: () => ugc.stop() };
}

async function peer(name: string, command: readonly string[], database: string, folder: string): Promise<Server> {
  const [port] = await freePorts(1);
  const statements = join(mkdtempSync(join(tmpdir(), 'ugc-bench-')), 'statements.json');
  writeFileSync(statements, JSON.stringify(contentStatements));
  const child = Bun.spawn([...command], {
    cwd: folder,
    stdout: 'inherit',
    stderr: 'inherit',
    env: {
      ...process.env,
      NODE_ENV: 'production',
      PORT: String(port),
      DATABASE_URL: database,
      JWT_SECRET: secret,
      STATEMENTS: statements,
    },
  });
  const url = `http://127.0.0.1:${port}`;
  const isUp = () =>
    fetch(`${url}/v1/films/none`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(isUp, `${name} answers`);
  return {
    name,
    url,
    pid: child.pid,
    stop: () => {
      for (const pid of tree(child.pid)) process.kill(pid, 'SIGTERM');
      return child.exited;
    },
  };
}

/** Installed once, beside other things that can be made again. */
async function fastify(database: string): Promise<Server> {
  const source = join(import.meta.dir, 'peers/content-fastify');
  const folder = join(homedir(), '.cache/ugc-bench-fastify');
  mkdirSync(folder, { recursive: true });
  for (const file of ['package.json', 'server.mjs']) await Bun.write(join(folder, file), Bun.file(join(source, file)));
  await Bun.$`npm install --ignore-scripts --no-audit --no-fund --silent`.cwd(folder);
  return peer('Fastify + pg', ['node', 'server.mjs'], database, folder);
}

async function fastapi(database: string): Promise<Server> {
  const source = join(import.meta.dir, 'peers/content-fastapi');
  const folder = join(homedir(), '.cache/ugc-bench-fastapi');
  if (!existsSync(join(folder, 'bin/pip'))) await Bun.$`python3 -m venv ${folder}`;
  await Bun.$`bin/pip install -q -r ${join(source, 'requirements.txt')}`.cwd(folder);
  return peer('FastAPI + asyncpg', [join(folder, 'bin/python'), 'server.py'], database, source);
}

console.log(machine());
const rows: Row[] = [];
/** Peers have nobody who folds counts; ours does it beside its clients, so it is done for them. */
function folding(url: string): { stop(): Promise<void> } {
  const sql = new Bun.SQL(url, { max: 1 });
  let isOver = false;
  const done = (async () => {
    for (; !isOver; await Bun.sleep(200)) await sql.unsafe(foldStatement, ['20000']);
  })();
  return {
    stop: async () => {
      isOver = true;
      await done;
      await sql.close();
    },
  };
}

const run = async (server: Server, postgres: TestPostgres | null): Promise<void> => {
  rows.push(...(await measured(server, postgres)));
  await server.stop();
};
if (only.includes('sqlite')) await run(await ours('ugc, SQLite', ''), null);
if (only.some(name => name !== 'sqlite')) {
  const postgres = await startPostgres();
  // The tables are ours: the peers find them made.
  await run(await ours('ugc, PostgreSQL', postgres.url), postgres);
  const fold = folding(postgres.url);
  if (only.includes('fastify')) await run(await fastify(postgres.url), postgres);
  if (only.includes('fastapi')) await run(await fastapi(postgres.url), postgres);
  await fold.stop();
  await postgres.stopForGood();
}
console.log(markdown(rows));
console.log(`\nkept in ${await keep(new Map([['content', rows]]))}`);
cleanUp();
process.exit(0);
