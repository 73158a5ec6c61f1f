// The certificate a server shows, looked at without trusting it: when it expires is worth knowing before it has.

import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { messageOf, PipelineError } from '../errors.ts';
import type { HostPort } from './address.ts';

export interface ServedCertificate {
  readonly expiresAtMs: number;
  readonly validFromMs: number;
  /** As its subject's name. */
  readonly subject: string;
}

interface Shown {
  /** PEM. */
  readonly cert?: string;
  readonly key?: string;
}

/** Null: it shows none. Rejects with `config_invalid` when it speaks no TLS, or does not answer. */
export function servedCertificate(
  { host, port }: HostPort,
  { cert, key }: Shown,
  signal: AbortSignal,
): Promise<ServedCertificate | null> {
  const { promise, resolve, reject } = Promise.withResolvers<ServedCertificate | null>();
  const socket = connect({
    host,
    port,
    rejectUnauthorized: false,
    ...(isIP(host) === 0 && { servername: host }),
    ...(cert !== undefined && key !== undefined && { cert, key }),
  });
  const fail = (error: unknown): void =>
    reject(
      new PipelineError('config_invalid', `${host}:${port} shows no certificate: ${messageOf(error)}`, {
        cause: error,
      }),
    );
  socket.once('secureConnect', () => {
    const { valid_to: to, valid_from: from, subject } = socket.getPeerCertificate();
    resolve(
      to === undefined
        ? null
        : { expiresAtMs: Date.parse(to), validFromMs: Date.parse(from), subject: String(subject?.CN ?? '') },
    );
  });
  socket.once('error', fail);
  signal.addEventListener('abort', () => fail(new Error('no answer')), { once: true });
  return promise.finally(() => socket.destroy());
}
