// Certificates made for a test: an authority, and what it signs. By openssl, whose command is on every machine that builds.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Pair {
  /** Paths of PEM files. */
  readonly cert: string;
  readonly key: string;
  /** Hexadecimal. */
  readonly serial: string;
}

export interface Issuing {
  /** As of subjectAltName. */
  readonly names?: string;
  /** Until it expires; below 0 = it has expired. */
  readonly days?: number;
}

export interface Authority {
  /** Path of its certificate, PEM. */
  readonly ca: string;
  /** The same, read. */
  readonly pem: string;
  issue(name: string, issuing?: Issuing): Pair;
}

export function authorityIn(folder: string, name = 'authority'): Authority {
  const at = (file: string): string => join(folder, file);
  const [ca, caKey] = [at(`${name}.pem`), at(`${name}.key`)];
  openssl(['req', '-x509', ...newKey, '-days', '30', '-subj', `/CN=${name}`, '-keyout', caKey, '-out', ca]);
  let issued = 0;
  return {
    ca,
    pem: readFileSync(ca, 'utf8'),
    issue(subject, { names = 'DNS:localhost,IP:127.0.0.1', days = 90 } = {}) {
      const stem = at(`${name}-${subject}-${++issued}`);
      const [key, request, cert, extensions] = ['key', 'csr', 'pem', 'ext'].map(ending => `${stem}.${ending}`) as [
        string,
        string,
        string,
        string,
      ];
      writeFileSync(extensions, `subjectAltName=${names}\n`);
      openssl(['req', ...newKey, '-subj', `/CN=${subject}`, '-keyout', key, '-out', request]);
      const signing = ['-req', '-in', request, '-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', String(days)];
      openssl(['x509', ...signing, '-extfile', extensions, '-out', cert]);
      const serial = openssl(['x509', '-in', cert, '-noout', '-serial']).trim().replace('serial=', '');
      return { cert, key, serial };
    },
  };
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export function openssl(args: readonly string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(['openssl', ...args], { stdin: 'ignore' });
  if (exitCode !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  return stdout.toString();
}
