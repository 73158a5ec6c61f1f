// The binary and a Pulsar that asks who it is: over TLS with a token, and what is said when either is not right.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { authorityIn } from '../support/certificates.ts';
import { clientEvent } from '../support/events.ts';
import { metric } from '../support/oracle.ts';
import { isWithoutPulsar, startPulsar, type TestPulsar } from '../support/pulsar.ts';
import type { SecurePulsar } from '../support/pulsar-secure.ts';
import { randomOf } from '../support/random.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const random = randomOf('pulsar-secure');

describe.skipIf(await isWithoutPulsar('own'))('a Pulsar with tokens and TLS', () => {
  let pulsar: TestPulsar;
  let secure: SecurePulsar;
  let right: Record<string, string>;

  beforeAll(async () => {
    pulsar = await startPulsar({ isSecure: true });
    if (pulsar.secure === null) throw new Error('a Pulsar of our own that was started secure is secure');
    secure = pulsar.secure;
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'token'), `${secure.token}\n`);
    right = {
      UGC_TRANSPORT: 'pulsar',
      UGC_PULSAR_URL: secure.url,
      UGC_PULSAR_TLS_CA: secure.ca,
      UGC_PULSAR_TOKEN_FILE: join(folder, 'token'),
      UGC_PULSAR_CONNECT_TIMEOUT_MS: '10000',
      UGC_TOPIC: 'ugc.{family}',
    };
  });
  afterAll(() => pulsar?.stopForGood());

  async function stored(ugc: Ugc): Promise<string> {
    return ((await (await ugc.post(clientEvent(random))).json()) as { stored: string }).stored;
  }
  const reachesPulsar = (ugc: Ugc) =>
    eventually(async () => (await stored(ugc)) === 'pulsar', { what: 'an event in Pulsar' });

  const start = (wrong: Record<string, string> = {}, role = 'ingest'): Promise<Ugc> => {
    const { UGC_PULSAR_TOKEN_FILE: _, ...others } = right;
    const base = 'UGC_PULSAR_TOKEN' in wrong ? others : right;
    return startUgc({ dataDir: temporaryFolder(), flags: [`--role=${role}`], env: { ...base, ...wrong } });
  };

  /** Readiness and the log say it, and neither the token. */
  async function says(ugc: Ugc, words: RegExp): Promise<void> {
    const ready = async () => {
      const response = await fetch(`${ugc.url}/healthz/ready`);
      return { status: response.status, text: await response.text() };
    };
    const { status, text } = await eventually(
      async () => {
        const now = await ready();
        return words.test(now.text) ? now : null;
      },
      { what: `${words} in readiness` },
    ).catch(async error => {
      throw new Error(`${error.message}; it says ${(await ready()).text}`);
    });
    expect(status).toBe(200);
    await eventually(() => words.test(ugc.output()), { what: `${words} in the log` });
    for (const said of [text, ugc.output()]) {
      expect(said).toMatch(words);
      expect(said).not.toContain(secure.token);
      expect(said).not.toContain(secure.tokenOf('stranger'));
    }
  }

  /** With these settings events are taken, on the disk, and it is said why; set right, a restart drains them. */
  async function heals(wrong: Record<string, string>, words: RegExp): Promise<void> {
    const dataDir = temporaryFolder();
    const { UGC_PULSAR_TOKEN_FILE: _, ...others } = right;
    const base = 'UGC_PULSAR_TOKEN' in wrong ? others : right;
    const ugc = await startUgc({ dataDir, flags: ['--role=ingest'], env: { ...base, ...wrong } });
    expect(await stored(ugc)).toBe('disk');
    await says(ugc, words);
    expect(await ugc.stop()).toBe(0);

    const healed = await startUgc({ dataDir, flags: ['--role=ingest'], env: right });
    await eventually(async () => (await metric(healed.url, 'ugc_buffer_events')) === 0, { what: 'a drained buffer' });
    expect(await metric(healed.url, 'ugc_buffer_drained_total')).toBe(1);
    await reachesPulsar(healed);
    expect(await healed.stop()).toBe(0);
  }

  test('over TLS with a token from a file, events reach Pulsar and become rows', async () => {
    const ugc = await start({}, 'ingest,etl');
    await reachesPulsar(ugc);
    await eventually(async () => (await ugc.query('SELECT 1 FROM ugc.events LIMIT 1')).length === 1, { what: 'a row' });
    expect(await ugc.stop()).toBe(0);
  });

  test('a token that Pulsar does not know is said, events lie on the disk and go there once it is right', async () => {
    await heals({ UGC_PULSAR_TOKEN: `${secure.token}x` }, /refused the token.*UGC_PULSAR_TOKEN/);
  });

  test('so is one that has expired, and none at all', async () => {
    await heals({ UGC_PULSAR_TOKEN: secure.tokenOf('operator', 1_000_000_000) }, /refused the token.*UGC_PULSAR_TOKEN/);
    await heals({ UGC_PULSAR_TOKEN: '' }, /refused the token.*UGC_PULSAR_TOKEN/);
  });

  test('so is an authority that is not trusted, and one that did not sign', async () => {
    await heals({ UGC_PULSAR_TLS_CA: '' }, /UGC_PULSAR_TLS_CA/);
    const other = authorityIn(temporaryFolder(), 'other');
    await heals({ UGC_PULSAR_TLS_CA: other.ca }, /UGC_PULSAR_TLS_CA/);
  });

  test('a mover that is refused says so', async () => {
    const mover = await start({ UGC_PULSAR_TOKEN: secure.tokenOf('stranger') }, 'etl');
    await says(mover, /refused the token.*UGC_PULSAR_TOKEN/);
    expect(await mover.stop()).toBe(0);
  });

  test('who may consume and not produce is told what is missing', async () => {
    const headers = { authorization: `Bearer ${secure.token}`, 'content-type': 'application/json' };
    const path = `${pulsar.url}/admin/v2/namespaces/public/default/permissions/reader`;
    const granted = await fetch(path, { method: 'POST', headers, body: '["consume"]' });
    expect(granted.ok).toBe(true);
    const ugc = await start({ UGC_PULSAR_TOKEN: secure.tokenOf('reader') });
    expect(await stored(ugc)).toBe('disk');
    await says(ugc, /lacks the right to produce/);
    expect(await ugc.stop()).toBe(0);
  });

  test('a PEM file that cannot be read is said at once', async () => {
    const started = start({ UGC_PULSAR_TLS_CA: '/nowhere/ca.pem' });
    expect(await started.catch(error => error.message)).toMatch(/UGC_PULSAR_TLS_CA names a file that cannot be read/);
  });
});
