// What the container asks a running ugc for its health, asked here of the binary: both checks, alive and dead.

import { expect, test } from 'bun:test';
import { authorityIn } from '../support/certificates.ts';
import { composeWith, imageHealthcheck } from '../support/compose.ts';
import { startUgc, temporaryFolder } from '../support/ugc.ts';

/** The exit code: 0 = healthy. */
async function asked(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number> {
  return await Bun.spawn([...command], {
    env: { PATH: process.env.PATH!, ...env },
    stdio: ['ignore', 'ignore', 'ignore'],
  }).exited;
}

test('the health checks of the image and of compose.yaml say yes to a ugc that lives and no to none', async () => {
  const ugc = await startUgc({ dataDir: temporaryFolder(), flags: ['--role=ingest', '--admin-port=0'] });
  const port = new URL(ugc.url).port;
  const admin = /"admin":"[^"]*:(\d+)"/.exec(ugc.output())![1]!;
  const [, ...inCompose] = composeWith().services.ugc!.healthcheck!.test;
  const compose = inCompose.map(part => part.replace('/8080 ', `/${admin} `));
  expect(await asked(imageHealthcheck(), { UGC_PORT: port, UGC_ADMIN_PORT: admin })).toBe(0);
  expect(await asked(compose)).toBe(0);
  // Health has moved to the port of its own, so this is an answer that is not 200.
  expect(await asked(imageHealthcheck(), { UGC_PORT: port, UGC_ADMIN_PORT: '-1' })).not.toBe(0);
  await ugc.stop();
  expect(await asked(imageHealthcheck(), { UGC_PORT: port, UGC_ADMIN_PORT: admin })).not.toBe(0);
  expect(await asked(compose)).not.toBe(0);
});

test('over HTTPS a connection that is taken is a sign of life, with a plain admin port an answer is', async () => {
  const folder = temporaryFolder();
  const { cert, key } = authorityIn(folder).issue('front');
  const flags = ['--role=ingest', '--admin-port=0', `--tls-cert=${cert}`, `--tls-key=${key}`];
  const ugc = await startUgc({ dataDir: temporaryFolder(), flags });
  const port = new URL(ugc.url).port;
  const admin = /"admin":"[^"]*:(\d+)"/.exec(ugc.output())![1]!;
  const env = { UGC_PORT: port, UGC_TLS_CERT: cert };
  expect(await asked(imageHealthcheck(), env)).toBe(0);
  expect(await asked(imageHealthcheck(), { ...env, UGC_ADMIN_PORT: admin })).toBe(0);
  expect(await asked(imageHealthcheck(), { ...env, UGC_ADMIN_PORT: port })).not.toBe(0); // no plain answer there
  expect(await asked(imageHealthcheck(), { ...env, UGC_ADMIN_PORT: port, UGC_ADMIN_TLS: 'true' })).toBe(0);
  await ugc.stop();
  expect(await asked(imageHealthcheck(), env)).not.toBe(0);
});
