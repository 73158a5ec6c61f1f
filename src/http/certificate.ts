// The certificate of the front: read with its key and with the authorities of its clients, and looked at before it is
// shown to anybody. Every refusal names the setting and what to do.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { messageOf } from '../errors.ts';

/** Paths of PEM files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  /** '' = clients are asked for no certificate. */
  readonly clientCa: string;
}

export interface Certificate {
  /** PEM: the certificate, and behind it those that vouch for it. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** PEM; null = clients are asked for none. */
  readonly clientCa: string | null;
  /** In hexadecimal, as issuers and browsers show it. */
  readonly serial: string;
  /** Of the whole chain, epoch milliseconds. */
  readonly validFromMs: number;
  readonly expiresAtMs: number;
}

/** Throws when a file cannot be read or is not PEM, or when key and certificate do not belong together. */
export function readCertificate(files: CertificateFiles): Certificate {
  const cert = read('UGC_TLS_CERT', files.cert);
  const key = read('UGC_TLS_KEY', files.key);
  const clientCa = files.clientCa === '' ? null : read('UGC_TLS_CLIENT_CA', files.clientCa);
  const chain = certificatesIn('UGC_TLS_CERT', files.cert, cert);
  if (!chain[0].checkPrivateKey(keyIn(files.key, key)))
    throw new Error(
      `the key in ${files.key} (UGC_TLS_KEY) is not that of the first certificate in ${files.cert} (UGC_TLS_CERT); the server's own comes first there, then those that vouch for it`,
    );
  if (clientCa !== null) certificatesIn('UGC_TLS_CLIENT_CA', files.clientCa, clientCa);
  return {
    cert,
    key,
    clientCa,
    serial: chain[0].serialNumber,
    validFromMs: Math.max(...chain.map(({ validFrom }) => Date.parse(validFrom))),
    expiresAtMs: Math.min(...chain.map(({ validTo }) => Date.parse(validTo))),
  };
}

export type Validity = 'good' | 'early' | 'ending' | 'over';

const dayMs = 86_400_000;
/** Whoever renews by machine has done so long before. */
const noticeDays = 14;

export function validityOf({ validFromMs, expiresAtMs }: Certificate, nowMs: number): Validity {
  if (nowMs < validFromMs) return 'early';
  if (nowMs >= expiresAtMs) return 'over';
  return expiresAtMs - nowMs < noticeDays * dayMs ? 'ending' : 'good';
}

/** For readiness and the log; null when all is well. */
export function validityWords(certificate: Certificate, nowMs: number): string | null {
  const from = new Date(certificate.validFromMs).toISOString();
  const until = new Date(certificate.expiresAtMs).toISOString();
  const words: Readonly<Record<Validity, string | null>> = {
    good: null,
    early: `the TLS certificate is not valid before ${from}: clients refuse it. Is this machine’s clock right?`,
    over: `the TLS certificate expired at ${until}: clients refuse it. Renew it; no restart is needed (UGC_TLS_CERT)`,
    ending: `the TLS certificate expires in ${Math.floor((certificate.expiresAtMs - nowMs) / dayMs)} days, at ${until}: renew it; no restart is needed (UGC_TLS_CERT)`,
  };
  return words[validityOf(certificate, nowMs)];
}

function read(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${setting} names a file that cannot be read: ${messageOf(error)}`);
  }
}

const block = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

function certificatesIn(setting: string, path: string, text: string): [X509Certificate, ...X509Certificate[]] {
  try {
    const [first = '', ...rest] = text.match(block) ?? [];
    return [new X509Certificate(first), ...rest.map(one => new X509Certificate(one))];
  } catch (error) {
    throw new Error(`${path} (${setting}) holds no certificate in PEM that can be read: ${messageOf(error)}`);
  }
}

function keyIn(path: string, text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (error) {
    const remedy =
      (error as { readonly code?: string }).code === 'ERR_MISSING_PASSPHRASE'
        ? 'it is encrypted: openssl pkey -in … -out … writes it without a passphrase'
        : messageOf(error);
    throw new Error(`${path} (UGC_TLS_KEY) holds no private key in PEM that can be read: ${remedy}`);
  }
}
