// The demo's two servers: ugc itself, the built executable over a data folder of its own, and a small film site beside it on another
// origin, as a real one would be. The site signs in whom its visitors say they are; its tokens are ugc's to check.

import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Demo {
  readonly siteUrl: string;
  readonly ugcUrl: string;
  readonly dataDir: string;
  /** For `ugc tap` and what else is for operators. */
  readonly adminKey: string;
  /** Resolves when ugc has ended, by itself too. */
  readonly ended: Promise<number>;
  /** Ends both, and removes the data folder. */
  close(): Promise<void>;
}

interface DemoOptions {
  /** Taken as it is, or another one where it is in use; 0 = a free one. */
  readonly sitePort: number;
  /** 0 = a free one. */
  readonly ugcPort?: number;
  /** Where both listen: in a container everywhere, and Docker publishes them to its machine alone. */
  readonly host?: string;
  /** Of ugc; all unless told otherwise. */
  readonly role?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const root = join(import.meta.dir, '..');
const executable = join(root, 'dist/ugc');
const tokenSeconds = 3_600;

/** Throws, with what ugc said, when it does not start. */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const { sitePort, ugcPort = 0, host = '127.0.0.1', role = 'all', env = process.env } = options;
  const dataDir = mkdtempSync(join(tmpdir(), 'ugc-demo-'));
  const secret = randomBytes(32).toString('base64url');
  let settings = { ugc: '', key: '' };
  const site = siteAt({ port: sitePort, hostname: host }, request => answer(request, settings, secret));
  const origins = [`http://localhost:${site.port}`, `http://127.0.0.1:${site.port}`];
  const keyOf = (name: string, ...flags: readonly string[]): string => {
    const made = Bun.spawnSync([executable, 'keys', 'add', name, ...flags, `--data-dir=${dataDir}`], { env });
    if (made.exitCode !== 0) throw new Error(`dist/ugc keys add: ${made.stderr}`);
    return made.stdout.toString().trim();
  };
  const remove = (): void => rmSync(dataDir, { recursive: true, force: true });
  try {
    const key = keyOf('site', '--kind=public', `--origins=${origins.join(',')}`);
    const adminKey = keyOf('operator', '--kind=secret', '--scopes=admin');
    const ugc = await startedUgc({
      flags: [
        ...[`--data-dir=${dataDir}`, `--host=${host}`, `--port=${ugcPort}`],
        ...[`--role=${role}`, '--clickhouse-http-port=0', '--auth=keys,jwt'],
      ],
      env: { ...env, UGC_JWT_SECRET: secret, UGC_CORS_ORIGINS: origins.join(',') },
    });
    const ugcUrl = host === '127.0.0.1' ? ugc.url : `http://localhost:${new URL(ugc.url).port}`;
    settings = { ugc: ugcUrl, key };
    return {
      siteUrl: origins[0]!,
      ugcUrl,
      dataDir,
      adminKey,
      ended: ugc.exited,
      async close() {
        ugc.stop();
        await Promise.all([ugc.exited, site.stop(true)]);
        remove();
      },
    };
  } catch (error) {
    await site.stop(true);
    remove();
    throw error;
  }
}

/** Another port where this one is in use. */
function siteAt(
  at: { readonly port: number; readonly hostname: string },
  fetch: (request: Request) => Promise<Response>,
) {
  try {
    return Bun.serve({ ...at, fetch });
  } catch {
    return Bun.serve({ ...at, port: 0, fetch });
  }
}

/** Every path without a file is the one page: which film it shows is its own script's to say. */
async function answer(
  request: Request,
  { ugc, key }: { readonly ugc: string; readonly key: string },
  secret: string,
): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname === '/token') return Response.json({ token: tokenOf(searchParams.get('user') ?? 'somebody', secret) });
  const name = /^\/([\w-]+\.(?:js|css|webm|json|svg))$/.exec(pathname)?.[1];
  if (name !== undefined) {
    const file = Bun.file(join(import.meta.dir, 'site', name));
    return (await file.exists()) ? new Response(file) : new Response('no such file', { status: 404 });
  }
  const page = await Bun.file(join(import.meta.dir, 'site/index.html')).text();
  return new Response(page.replaceAll('{ugc}', ugc).replaceAll('{key}', key), {
    headers: { 'content-type': 'text/html; charset=utf-8' },
  });
}

/** A token as the site's own back end makes it once somebody has signed in. */
function tokenOf(user: string, secret: string): string {
  const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const exp = Math.floor(Date.now() / 1_000) + tokenSeconds;
  const signed = `${encoded({ alg: 'HS256' })}.${encoded({ sub: user.slice(0, 256), scope: 'content:write', exp })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

interface StartedUgc {
  readonly url: string;
  readonly exited: Promise<number>;
  stop(): void;
}

async function startedUgc({
  flags,
  env,
}: {
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}): Promise<StartedUgc> {
  const child = Bun.spawn([executable, ...flags], {
    env,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const ready = Promise.withResolvers<string>();
  let said = '';
  const follow = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      said = (said + decoder.decode(chunk, { stream: true })).slice(-100_000);
      const line = /^\{.*"message":"ready".*\}$/m.exec(said);
      if (line !== null) ready.resolve(String((JSON.parse(line[0]) as { readonly url: unknown }).url));
    }
  };
  void Promise.all([follow(child.stdout), follow(child.stderr), child.exited]).then(() =>
    ready.reject(new Error(`dist/ugc has ended:\n${said}`)),
  );
  return { url: await ready.promise, exited: child.exited, stop: () => child.kill('SIGTERM') };
}
