// A real Superset: its own Python, tables in SQLite, made ready by deploy/superset/load.sh as an operator would. Null where no
// Python with it can be had; then under CI its tests fail.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { freePorts } from './free-ports.ts';
import { pythonWith } from './python.ts';
import { temporaryFolder } from './ugc.ts';
import { eventually } from './until.ts';

const here = import.meta.dir;
const deploy = join(here, '../../deploy/superset');
const packages = [
  ...readFileSync(join(here, 'superset-packages.txt'), 'utf8').trim().split('\n'),
  'pyhive==0.7.0',
  'thrift==0.22.0',
];

export interface SupersetOptions {
  /** SQLAlchemy addresses. */
  readonly clickhouse: string;
  readonly hive: string;
}

export interface Superset {
  readonly url: string;
  readonly user: 'admin';
  readonly password: string;
  stop(): Promise<void>;
}

export async function startSuperset({ clickhouse, hive }: SupersetOptions): Promise<Superset | null> {
  const python = await pythonWith('superset', packages);
  if (python === null) return null;
  const folder = temporaryFolder();
  const password = crypto.randomUUID();
  const env = {
    PATH: `${dirname(python)}:${process.env.PATH}`,
    HOME: folder,
    PYTHONDONTWRITEBYTECODE: '1',
    SUPERSET_CONFIG_PATH: join(deploy, 'superset_config.py'),
    SUPERSET_HOME: folder,
    FLASK_APP: 'superset.app:create_app()',
    ADMIN_PASSWORD: password,
    CLICKHOUSE_URI: clickhouse,
    HIVE_URI: hive,
  };
  const load = Bun.spawn(['sh', join(deploy, 'load.sh')], { env, stdout: 'pipe', stderr: 'pipe' });
  const [out, err] = await Promise.all([new Response(load.stdout).text(), new Response(load.stderr).text()]);
  if ((await load.exited) !== 0) throw new Error(`load.sh: ${out.slice(-2_000)}${err.slice(-4_000)}`);
  const [port] = await freePorts(1);
  const child = Bun.spawn(['flask', 'run', '-h', '127.0.0.1', '-p', `${port}`, '--with-threads', '--no-reload'], {
    env,
    cwd: folder,
    stdout: Bun.file(join(folder, 'out.log')),
    stderr: Bun.file(join(folder, 'err.log')),
  });
  process.on('exit', () => child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => (await fetch(`${url}/health`).catch(() => null))?.ok === true, { msMax: 240_000 });
  return {
    url,
    user: 'admin',
    password,
    stop: async () => {
      child.kill('SIGKILL');
      await child.exited;
    },
  };
}
