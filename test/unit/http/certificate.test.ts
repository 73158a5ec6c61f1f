// The certificate of the front: what is refused and in which words, and when files that changed count.

import { afterAll, expect, test } from 'bun:test';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { readCertificate, validityOf, validityWords } from '../../../src/http/certificate.ts';
import { renewedCertificate } from '../../../src/http/renewed-certificate.ts';
import { authorityIn, openssl, type Pair } from '../../support/certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'ugc-certificate-'));
afterAll(() => rmSync(folder, { recursive: true }));
const authority = authorityIn(folder);
const [one, two] = [authority.issue('one'), authority.issue('two')];
const dayMs = 86_400_000;

const written = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const textOf = (path: string): string => readFileSync(path, 'utf8');

test('a pair is read, with what vouches for it: it is over when the first of the chain is', () => {
  const short = authority.issue('short', { days: 3 });
  const cert = written('chain.pem', `a comment\n${textOf(one.cert)}\n${textOf(short.cert)}`);
  const read = readCertificate({ cert, key: one.key, clientCa: authority.ca });
  expect(read).toMatchObject({ serial: one.serial, clientCa: authority.pem });
  expect(read.expiresAtMs).toBe(readCertificate({ ...short, clientCa: '' }).expiresAtMs);
  const windows = written('windows.pem', textOf(one.cert).replaceAll('\n', '\r\n'));
  expect(readCertificate({ cert: windows, key: one.key, clientCa: '' }).serial).toBe(one.serial);
});

test('what cannot be shown is refused, with the setting and what to do', () => {
  const missing = join(folder, 'missing.pem');
  const half = written('half.pem', textOf(one.cert).slice(0, 200));
  const damaged = written('damaged.pem', textOf(one.cert).replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA'));
  const empty = written('empty.pem', '');
  const binary = written('binary.pem', '\u0000\ufffe\u0001');
  const swapped = written('swapped.pem', textOf(authority.ca) + textOf(one.cert));
  openssl(['pkey', '-in', one.key, '-aes256', '-passout', 'pass:secret', '-out', join(folder, 'locked.key')]);
  const cases: readonly (readonly [Partial<Record<'cert' | 'key' | 'clientCa', string>>, RegExp])[] = [
    [{ cert: missing }, /^UGC_TLS_CERT names a file that cannot be read: ENOENT/],
    [{ key: missing }, /^UGC_TLS_KEY names a file that cannot be read: ENOENT/],
    [{ clientCa: missing }, /^UGC_TLS_CLIENT_CA names a file that cannot be read: ENOENT/],
    [{ cert: folder }, /^UGC_TLS_CERT names a file that cannot be read: EISDIR/],
    [{ cert: half }, /half\.pem \(UGC_TLS_CERT\) holds no certificate in PEM/],
    [{ cert: damaged }, /damaged\.pem \(UGC_TLS_CERT\) holds no certificate in PEM/],
    [{ cert: empty }, /empty\.pem \(UGC_TLS_CERT\) holds no certificate in PEM/],
    [{ cert: binary }, /binary\.pem \(UGC_TLS_CERT\) holds no certificate in PEM/],
    [{ cert: one.key }, /\(UGC_TLS_CERT\) holds no certificate in PEM/],
    [{ key: one.cert }, /\(UGC_TLS_KEY\) holds no private key in PEM/],
    [{ key: empty }, /empty\.pem \(UGC_TLS_KEY\) holds no private key in PEM/],
    [{ key: join(folder, 'locked.key') }, /it is encrypted: openssl pkey .* writes it without a passphrase/],
    [{ clientCa: empty }, /empty\.pem \(UGC_TLS_CLIENT_CA\) holds no certificate in PEM/],
    [{ key: two.key }, /is not that of the first certificate .* the server's own comes first there/],
    [{ cert: swapped }, /is not that of the first certificate/],
  ];
  for (const [changed, words] of cases)
    expect(() => readCertificate({ ...one, clientCa: '', ...changed })).toThrow(words);
});

test('fourteen days before its end it is said, and how many are left', () => {
  const certificate = readCertificate({ ...one, clientCa: '' });
  const { validFromMs, expiresAtMs } = certificate;
  const at = (ms: number) => validityOf(certificate, ms);
  expect([at(validFromMs - 1), at(validFromMs), at(expiresAtMs - 14 * dayMs)]).toEqual(['early', 'good', 'good']);
  expect([at(expiresAtMs - 14 * dayMs + 1), at(expiresAtMs - 1), at(expiresAtMs)]).toEqual([
    'ending',
    'ending',
    'over',
  ]);
  expect(validityWords(certificate, expiresAtMs - 13 * dayMs)).toContain('expires in 13 days');
  expect(validityWords(certificate, expiresAtMs)).toContain('expired at ');
  expect(validityWords(certificate, validFromMs - 1)).toContain('not valid before');
  expect(validityWords(certificate, validFromMs)).toBeNull();
});

/** A pair in files of its own, watched by hand. */
function watched(pair: Pair, now?: () => number) {
  const at = mkdtempSync(join(folder, 'watched-'));
  const files = { cert: join(at, 'cert.pem'), key: join(at, 'key.pem'), clientCa: '' };
  const put = (from: Partial<Pair>): void => {
    if (from.cert !== undefined) copyFileSync(from.cert, files.cert);
    if (from.key !== undefined) copyFileSync(from.key, files.key);
  };
  put(pair);
  const lines: string[] = [];
  const logger = pino({}, { write: line => void lines.push(line) });
  const certificate = renewedCertificate({ files, logger, ...(now !== undefined && { now }) });
  certificate.close(); // looks when the test does
  const serials: string[] = [];
  certificate.onRenewal(({ serial }) => void serials.push(serial));
  return { ...certificate, certificate, files, put, lines, serials, at };
}

test('a new pair counts once it has stood still for a look', () => {
  const { put, look, serials, certificate } = watched(one);
  look();
  put(two);
  look();
  expect(serials).toEqual([]);
  look();
  look();
  expect({ serials, now: certificate.current.serial }).toEqual({ serials: [two.serial], now: two.serial });
});

test('half a pair changes nothing, is said once, and is forgotten once the other half is there', () => {
  const { put, look, serials, problem, lines } = watched(one);
  put({ cert: two.cert });
  for (let times = 0; times < 5; times++) look();
  expect(serials).toEqual([]);
  expect(problem()).toMatch(/is not that of the first certificate .* the certificate of before is still shown/);
  expect(lines.filter(line => line.includes('does not count'))).toHaveLength(1);
  put({ key: two.key });
  look();
  look();
  expect({ serials, problem: problem() }).toEqual({ serials: [two.serial], problem: null });
});

test('files that vanish change nothing; the same pair written again renews nothing', () => {
  const { put, look, serials, problem, files } = watched(one);
  rmSync(files.key);
  look();
  look();
  expect(problem()).toContain('UGC_TLS_KEY names a file that cannot be read');
  put(one);
  look();
  look();
  expect({ serials, problem: problem() }).toEqual({ serials: [], problem: null });
});

test('a secret of Kubernetes is swapped by one link', () => {
  const at = mkdtempSync(join(folder, 'secret-'));
  for (const [name, pair] of Object.entries({ a: one, b: two })) {
    mkdirSync(join(at, name));
    copyFileSync(pair.cert, join(at, name, 'tls.crt'));
    copyFileSync(pair.key, join(at, name, 'tls.key'));
  }
  symlinkSync('a', join(at, '..data'));
  for (const name of ['tls.crt', 'tls.key']) symlinkSync(`..data/${name}`, join(at, name));
  const files = { cert: join(at, 'tls.crt'), key: join(at, 'tls.key'), clientCa: '' };
  const certificate = renewedCertificate({ files, logger: pino({ level: 'silent' }) });
  certificate.close();
  symlinkSync('b', join(at, '..data_tmp'));
  renameSync(join(at, '..data_tmp'), join(at, '..data'));
  certificate.look();
  certificate.look();
  expect(certificate.current.serial).toBe(two.serial);
});

test('where the new one cannot be used the one of before counts on, and it is tried again', () => {
  const { put, look, certificate, problem, lines } = watched(one);
  let canListen = false;
  certificate.onRenewal(() => {
    if (!canListen) throw new Error('no listener');
  });
  put(two);
  for (let times = 0; times < 4; times++) look();
  expect(certificate.current.serial).toBe(one.serial);
  expect(problem()).toContain('no listener');
  expect(lines).toHaveLength(1);
  canListen = true;
  look();
  expect({ serial: certificate.current.serial, problem: problem() }).toEqual({ serial: two.serial, problem: null });
});

test('an expired one is shown all the same, and each sort of problem is said once', () => {
  const { expiresAtMs } = readCertificate({ ...one, clientCa: '' });
  let nowMs = expiresAtMs - 20 * dayMs;
  const { look, lines, problem } = watched(one, () => nowMs);
  expect({ lines, problem: problem() }).toEqual({ lines: [], problem: null });
  for (const ms of [expiresAtMs - 3 * dayMs, expiresAtMs - 2 * dayMs, expiresAtMs, expiresAtMs + dayMs]) {
    nowMs = ms;
    look();
  }
  expect(lines.map(line => /expires in 3 days|expired at/.exec(line)?.[0])).toEqual([
    'expires in 3 days',
    'expired at',
  ]);
  expect(problem()).toContain('expired at');
  expect(watched(authority.issue('past', { days: -1 })).problem()).toContain('expired at');
});
