// A Pulsar that lets in nobody without a token, signed with a secret it knows, over TLS by an authority of its own.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { authorityIn } from './certificates.ts';
import { hmacTokenOf } from './tokens.ts';

export interface SecurePulsar {
  /** https. */
  readonly url: string;
  /** Path of the authority's certificate, PEM. */
  readonly ca: string;
  /** Of an operator who may do everything. */
  readonly token: string;
  /** Of somebody else; `expires` in seconds since 1970. */
  tokenOf(role: string, expires?: number): string;
  /** What the server takes to be like that. */
  readonly settings: Readonly<Record<string, string>>;
}

const secret = 'a secret of thirty-two bytes or more';
const operator = 'operator';

export function secureIn(folder: string, port: number): SecurePulsar {
  const authority = authorityIn(folder);
  const { cert, key } = authority.issue('pulsar');
  const keyFile = join(folder, 'token.key');
  writeFileSync(keyFile, secret);
  const tokenOf = (role: string, expires?: number): string =>
    hmacTokenOf(secret, { sub: role, ...(expires !== undefined && { exp: expires }) });
  const token = tokenOf(operator);
  const plugin = 'org.apache.pulsar.client.impl.auth.AuthenticationToken';
  return {
    url: `https://localhost:${port}`,
    ca: authority.ca,
    token,
    tokenOf,
    settings: {
      webServicePortTls: String(port),
      tlsCertificateFilePath: cert,
      tlsKeyFilePath: key,
      authenticationEnabled: 'true',
      authenticationProviders: 'org.apache.pulsar.broker.authentication.AuthenticationProviderToken',
      tokenSecretKey: `file://${keyFile}`,
      authorizationEnabled: 'true',
      superUserRoles: operator,
      brokerClientAuthenticationPlugin: plugin,
      brokerClientAuthenticationParameters: `token:${token}`,
    },
  };
}
