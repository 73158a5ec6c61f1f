// An issuer of tokens as there are in the world, node-oidc-provider, in a process of its own: `bun oidc-issuer.ts PORT`.
// Clients `shop` and `app` get access tokens (RFC 9068) for the audience urn:ugc; POST /rotate makes the issuer sign with
// a key it has just made, and forget those of before with ?forget.

import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import Provider, { type ClientMetadata } from 'oidc-provider';

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const scope = 'events:write events:read';

let keys: readonly JWK[] = [];
let made = 0;

async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: `key-${process.pid}-${++made}`, alg: 'ES256', use: 'sig' };
}

const clientOf = (name: string): ClientMetadata => ({
  client_id: name,
  client_secret: `${name}-secret`,
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  id_token_signed_response_alg: 'ES256',
});

async function answering(forget: boolean) {
  keys = [await newKey(), ...(forget ? [] : keys)];
  const provider = new Provider(issuer, {
    clients: ['shop', 'app'].map(clientOf),
    jwks: { keys: [...keys] as never },
    scopes: scope.split(' '),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:ugc',
        getResourceServerInfo: () => ({
          scope,
          audience: 'urn:ugc',
          accessTokenFormat: 'jwt',
          accessTokenTTL: 3_600,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  });
  return provider.callback();
}

let answer = await answering(true);
const server = createServer((request, response) => {
  if (request.url?.startsWith('/rotate') !== true) return void answer(request, response);
  void answering(request.url.includes('forget')).then(next => {
    answer = next;
    response.end();
  });
});
server.listen(port, '127.0.0.1', () => process.stdout.write('ready\n'));
