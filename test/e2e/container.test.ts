// What the container asks a running ugc for its health, asked here of the binary: both checks, alive and dead.

import { expect, test } from 'bun:test';
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
