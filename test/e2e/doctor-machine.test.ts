// What `ugc doctor` says of the machine and of the door, each staged for real: who may let in whom, certificates, limits of the
// process, what the data folder lies on and whose it is. No server is needed.

import { afterAll, describe, expect, test } from 'bun:test';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authorityIn } from '../support/certificates.ts';
import { assertFinds, assertHelps, type Diagnosis, doctor, told } from '../support/doctor.ts';
import { startIssuer } from '../support/oidc.ts';
import { smallDisk } from '../support/small-disk.ts';
import { binary, cleanUp, runUgc, startUgc, temporaryFolder } from '../support/ugc.ts';

afterAll(cleanUp);

const beforeStart = (flags: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  doctor(['--before-start', ...flags], env);
const folder = () => `--data-dir=${temporaryFolder()}`;

describe('tokens', () => {
  const audience = ['--auth=jwt', '--jwt-audience=urn:ugc'];

  test('their issuer answers, and is away', async () => {
    const issuer = await startIssuer();
    const settings = [folder(), ...audience, `--jwt-issuer=${issuer.url}`];
    try {
      const there = await beforeStart(settings);
      expect(there.of('door.issuer')).toMatchObject([{ result: 'success', seen: 'the issuer answers with 1 key' }]);
      // Another one than is meant.
      const other = await beforeStart([...settings.slice(0, -1), `--jwt-issuer=${issuer.url}/realms/shop`]);
      await assertFinds(other, 'door.issuer', /cannot be asked for its keys.*404/);
    } finally {
      await issuer.kill();
    }
    await assertFinds(await beforeStart(settings), 'door.issuer', /cannot be asked for its keys.*ECONNREFUSED/);
  });

  test.each([
    ['an empty set', { keys: [] }, /none of its keys could check a token/],
    ['a secret key', { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] }, /none of its keys could check.*private or a secret/],
    ['an error page', '<html>', /something else than JSON/],
    ['another document', { issuer: 'https://a.example' }, /no JSON Web Key Set/],
  ])('their issuer answers with %s', async (_, answer, seen) => {
    const server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: () => new Response(typeof answer === 'string' ? answer : JSON.stringify(answer)),
    });
    try {
      const found = await beforeStart([folder(), ...audience, `--jwt-jwks-url=http://127.0.0.1:${server.port}/keys`]);
      await assertFinds(found, 'door.issuer', seen);
      expect(JSON.stringify(found.checks)).not.toContain('c2VjcmV0');
    } finally {
      await server.stop(true);
    }
  });

  test('keys that were given are no public keys, or are not there', async () => {
    const path = join(temporaryFolder(), 'keys.pem');
    await assertFinds(await beforeStart([folder(), '--auth=jwt', `--jwt-public-key=${path}`]), 'door.tokens', /ENOENT/);
    writeFileSync(path, '-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n');
    const found = await beforeStart([folder(), '--auth=jwt', `--jwt-public-key=${path}`]);
    await assertFinds(found, 'door.tokens', /cannot be used/);
    // As the start does.
    const start = await runUgc([folder(), '--auth=jwt', `--jwt-public-key=${path}`, '--port=0']);
    expect(start.code).toBe(1);
    const { cert } = authorityIn(temporaryFolder()).issue('tokens');
    const good = await beforeStart([folder(), '--auth=jwt', `--jwt-public-key=${cert}`]);
    expect(good.of('door.tokens')).toMatchObject([{ result: 'success' }]);
  });
});

describe('the file of API keys', () => {
  test.each([
    ['cut off', '{"keys": [', /cannot be read: .*keys\.json is not JSON/],
    ['of another shape', '{"keys": [{"id": "x"}]}', /cannot be read: .*\/keys\/0/],
    ['empty', '{"keys": []}', /there is no key in/],
  ])('is %s', async (_, text, seen) => {
    const dataDir = temporaryFolder();
    writeFileSync(join(dataDir, 'keys.json'), text);
    await assertFinds(await beforeStart([`--data-dir=${dataDir}`, '--auth=keys']), 'door.keys', seen);
  });

  test('has none that still counts, and what it says to do helps', async () => {
    const settings = [folder(), '--auth=keys'];
    const add = (...more: readonly string[]) => runUgc(['keys', 'add', 'shop', settings[0]!, ...more]);
    expect((await add(`--expires=${new Date(Date.now() + 1_000).toISOString()}`)).code).toBe(0);
    const found = await until(settings, 'error');
    await assertFinds(found, 'door.keys', /none of 1 key counts/);
    const [command, ...words] = found.of('door.keys')[0]!.hint!.split(' ');
    expect(command).toBe('ugc');
    expect((await runUgc([...words, settings[0]!])).code).toBe(0);
    expect((await beforeStart(settings)).of('door.keys')).toMatchObject([{ result: 'success' }]);
  });

  async function until(settings: readonly string[], result: string): Promise<Diagnosis> {
    for (;;) {
      const found = await beforeStart(settings);
      if (found.of('door.keys')[0]?.result === result) return found;
    }
  }
});

describe('the certificate of the front', () => {
  const front = (cert: string, key: string) => [folder(), `--tls-cert=${cert}`, `--tls-key=${key}`];

  test('expires soon', async () => {
    const { cert, key } = authorityIn(temporaryFolder()).issue('front', { days: 5 });
    await assertFinds(await beforeStart(front(cert, key)), 'door.certificate', /expires in [45] days/, 'warning');
  });

  test('has the key of another, or none', async () => {
    const authority = authorityIn(temporaryFolder());
    const [one, other] = [authority.issue('one'), authority.issue('other')];
    await assertFinds(await beforeStart(front(one.cert, other.key)), 'door.certificate', /key/);
    await assertFinds(
      await beforeStart(front(one.cert, `${one.key}.gone`)),
      'door.certificate',
      /ENOENT|no such file/i,
    );
  });
});

test('few files may be open', async () => {
  const child = Bun.spawn(['sh', '-c', `ulimit -n 512 && exec ${binary} doctor --before-start --json ${folder()}`], {
    stdout: 'pipe',
    stderr: 'inherit',
    env: { PATH: process.env.PATH ?? '' },
  });
  const checks = JSON.parse(await new Response(child.stdout).text()).categories.flatMap(
    (category: { readonly checks: readonly object[] }) => category.checks,
  );
  const [files] = checks.filter(({ id }: { readonly id: string }) => id === 'limits.files');
  expect(files).toMatchObject({
    ...{ result: 'warning', seen: '512 open files at most', follows: expect.stringContaining('refused') },
    hint: expect.stringContaining('LimitNOFILE='),
  });
  await assertHelps(files);
});

describe('the data folder', () => {
  test('lies in memory', async () => {
    const inMemory = mkdtempSync('/dev/shm/ugc-doctor-');
    try {
      const found = await beforeStart([`--data-dir=${inMemory}`]);
      await assertFinds(found, 'disk.kind', /lies in memory \(tmpfs\)/);
      expect(readdirSync(inMemory)).toEqual([]);
    } finally {
      rmSync(inMemory, { recursive: true });
    }
  });

  const disk = process.getuid?.() === 0 ? smallDisk(1) : null;
  test.skipIf(disk === null)('is full', async () => {
    try {
      writeFileSync(join(disk!.path, 'filler'), new Uint8Array(2 ** 21));
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    }
    const found = await beforeStart([`--data-dir=${disk!.path}`]);
    disk!.unmount();
    await assertFinds(found, 'disk.room', /0 bytes free/);
    await assertFinds(found, 'disk.writable', /takes no file.*ENOSPC/);
  });

  // Nobody but root can start a process as another user.
  const stranger = 65_534;
  const asStranger = async (
    settings: readonly string[],
  ): Promise<{ readonly code: number; readonly stdout: string }> => {
    const who = ['setpriv', `--reuid=${stranger}`, `--regid=${stranger}`, '--clear-groups'];
    const child = Bun.spawn([...who, binary, ...settings], {
      ...{ cwd: '/', stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
      env: { PATH: process.env.PATH ?? '' },
    });
    const [stdout, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
    return { code, stdout };
  };

  describe.skipIf(process.getuid?.() !== 0)('is another user’s', () => {
    test('from the folder on, then with files of an earlier start in it', async () => {
      const dataDir = mkdtempSync(join(tmpdir(), 'ugc-owner-'));
      chmodSync(dataDir, 0o755);
      const data = join(dataDir, 'data');
      mkdirSync(data);
      const settings = [`--data-dir=${data}`, '--role=ingest'];
      try {
        const ugc = await startUgc({ dataDir: data, flags: settings.slice(1) });
        ugc.kill('SIGKILL'); // the log of its buffer stays, too
        await ugc.exited;
        const diagnosis = async (): Promise<Diagnosis> => {
          const { code, stdout } = await asStranger(['doctor', '--before-start', '--json', ...settings]);
          return { ...told(stdout), code };
        };
        const shut = await diagnosis();
        await assertFinds(shut, 'disk.writable', /takes no file from user 65534.*EACCES/);
        expect(shut.of('disk.writable')[0]!.hint).toContain(`chown -R 65534 ${data}`);
        await assertFinds(shut, 'disk.files', /may not write buffer\.sqlite.* of user 0/);

        chownSync(data, stranger, stranger);
        const inside = await diagnosis();
        expect(inside.of('disk.writable')).toMatchObject([{ result: 'success' }]);
        await assertFinds(inside, 'disk.files', /may not write buffer\.sqlite.* of user 0/);
        expect((await asStranger([...settings, '--port=0'])).code).toBe(1);

        for (const name of readdirSync(data)) chownSync(join(data, name), stranger, stranger);
        const right = await diagnosis();
        expect({ code: right.code, files: right.of('disk.files') }).toEqual({ code: 0, files: [] });
      } finally {
        rmSync(dataDir, { recursive: true });
      }
    });
  });
});
