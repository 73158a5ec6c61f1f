// HTTPS on a port: what a listener is given for a certificate, and the next one when there is another certificate.

import type { Certificate } from './certificate.ts';
import { type Generations, generations, type Listener, type Steer } from './generations.ts';
import type { RenewedCertificate } from './renewed-certificate.ts';

export interface FrontTls {
  readonly certificate: RenewedCertificate;
  readonly steer: Steer;
  /** The admin port speaks it, too. */
  readonly isAdminToo: boolean;
  /** 0 = not said. */
  readonly hstsSeconds: number;
  /** A plain port that sends readers on; -1 = none. */
  readonly redirectPort: number;
  /** Origin; '' = the name that was asked. */
  readonly redirectTo: string;
}

/** What a listener is told. */
export interface Secure {
  /** Options of the runtime, which takes TLS 1.2 and 1.3. */
  readonly tls: Bun.TLSOptions;
  /** Of every answer; null = none. */
  readonly headers: Readonly<Record<string, string>> | null;
}

export interface OverTls {
  readonly hostname: string;
  /** 0 = any free one. */
  readonly port: number;
  /** An idle connection is closed before. */
  readonly drainMs: number;
  readonly open: (port: number, secure: Secure) => Listener;
}

/** Throws when the port is taken. */
export function overTls(
  { certificate, steer, hstsSeconds }: FrontTls,
  { hostname, port: asked, drainMs, open }: OverTls,
): Generations {
  if (asked > 0) assertFree(hostname, asked);
  // RFC 6797 §6.1; never over plain HTTP, where anybody on the way could say it (§7.2).
  const headers = hstsSeconds === 0 ? null : { 'strict-transport-security': `max-age=${hstsSeconds}` };
  const port = generations({
    port: asked,
    steer,
    drainMs,
    open: port => open(port, { tls: tlsOf(certificate.current), headers }),
  });
  certificate.onRenewal(port.renew);
  return port;
}

const tlsOf = ({ cert, key, clientCa: ca }: Certificate): Bun.TLSOptions =>
  ca === null ? { cert, key } : { cert, key, ca, requestCert: true, rejectUnauthorized: true };

/** A port that several listeners share would be shared with another process, too. Throws when it is taken. */
function assertFree(hostname: string, port: number): void {
  Bun.listen({ hostname, port, socket: { data: () => {} } }).stop(true);
}
