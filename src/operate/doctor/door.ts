// The group `door`: certificates, ours and those that servers show us, with the days that are left; the issuer of tokens and
// the file of keys.

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from '../../config/config.ts';
import { algorithmsOf } from '../../config/jwt.ts';
import { brokerOf } from '../../config/transport.ts';
import { readKeys } from '../../door/keys/keys-file.ts';
import { readGivenKeys } from '../../door/tokens/given-keys.ts';
import { askForKeys } from '../../door/tokens/issuer.ts';
import { readKeySet } from '../../door/tokens/jwk-set.ts';
import { messageOf } from '../../errors.ts';
import { type HostPort, parseHostPort } from '../../process/address.ts';
import { isoOf } from '../../process/clock.ts';
import { servedCertificate } from '../../process/served-certificate.ts';
import { countOf } from '../output.ts';
import { type Check, doubtful, type GroupOf, good, type Probe, wrong } from './check.ts';

const page = 'docs/operate/incidents/certificate-expired.md';

export interface DoorWiring {
  /** Of the front, with its chain: what is wrong with it in words, null = nothing; throws where it cannot be read. */
  readonly frontCertificate: (
    config: Config,
  ) => { readonly expiresAtMs: number; readonly isOver: boolean; readonly problem: string | null } | null;
  readonly keysFileOf: (config: Config) => string;
}

export const doorGroup =
  ({ frontCertificate, keysFileOf }: DoorWiring): GroupOf =>
  ({ config }) => {
    const probes: Probe[] = [
      ...(config.tlsCert === '' ? [] : [frontProbe(() => frontCertificate(config))]),
      ...filesOf(config).map(fileProbe),
      ...servedOf(config).map(servedProbe),
      ...(config.auth.includes('jwt') && config.jwtSecret + config.jwtPublicKey === '' ? [issuerProbe(config)] : []),
      ...(config.auth.includes('jwt') && config.jwtPublicKey !== '' ? [givenKeysProbe(config)] : []),
      ...(config.auth.includes('keys') ? [keysProbe(keysFileOf(config))] : []),
    ];
    return probes.length === 0 ? null : { name: 'door', probes };
  };

const dayMs = 86_400_000;
const noticeMs = 14 * dayMs;

const frontProbe = (read: () => ReturnType<DoorWiring['frontCertificate']>): Probe => ({
  id: 'door.certificate',
  hint: 'set UGC_TLS_CERT and UGC_TLS_KEY to files that belong together',
  page,
  look: () => {
    const id = 'door.certificate';
    let found: ReturnType<typeof read>;
    try {
      found = read();
    } catch (error) {
      return [
        wrong(id, {
          seen: `the front has none: ${messageOf(error)}`,
          follows: 'ugc does not start with it; a running one shows the one it has',
          hint: 'set UGC_TLS_CERT and UGC_TLS_KEY to files that belong together',
          page: 'docs/operate/tls.md',
        }),
      ];
    }
    if (found === null) return [];
    if (found.problem === null) return [good(id, `that of the front is good until ${isoOf(found.expiresAtMs)}`)];
    const trouble = {
      seen: found.problem,
      hint: 'put the new one in the place of UGC_TLS_CERT; no restart is needed',
      page,
    };
    if (found.isOver) return [wrong(id, { ...trouble, follows: 'clients do not connect' })];
    return [doubtful(id, { ...trouble, follows: 'then clients do not connect' })];
  },
});

/** PEM files whose certificates expire, by setting. */
const filesOf = (config: Config): readonly (readonly [setting: string, path: string])[] =>
  (
    [
      ['UGC_TLS_CLIENT_CA', config.tlsClientCa],
      ['UGC_KAFKA_TLS_CA', config.kafkaTlsCa],
      ['UGC_KAFKA_TLS_CERT', config.kafkaTlsCert],
      ['UGC_CLICKHOUSE_TLS_CA', config.clickhouseTlsCa],
      ['UGC_CLICKHOUSE_TLS_CERT', config.clickhouseTlsCert],
      ['UGC_PULSAR_TLS_CA', config.pulsarTlsCa],
      ['UGC_RABBITMQ_TLS_CA', config.rabbitmqTlsCa],
      ['UGC_RABBITMQ_TLS_CERT', config.rabbitmqTlsCert],
      ['UGC_DATABASE_CA', config.databaseCa],
      ['UGC_ARCHIVE_TLS_CA', config.archiveTlsCa],
    ] as const
  ).filter(([, path]) => path !== '');

const block = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

const fileProbe = ([setting, path]: readonly [string, string]): Probe => ({
  id: 'door.files',
  hint: `set ${setting} to a PEM file that can be read`,
  page,
  look: () => {
    const all = (readFileSync(path, 'utf8').match(block) ?? []).map(text => new X509Certificate(text));
    if (all.length === 0) throw new Error(`${path} (${setting}) holds no certificate in PEM`);
    // Of a bundle of authorities one that is over harms nobody while another is good.
    const expiresAtMs = Math.max(...all.map(({ validTo }) => Date.parse(validTo)));
    return [expiryOf('door.files', setting, expiresAtMs)];
  },
});

function expiryOf(id: string, what: string, expiresAtMs: number): Check {
  const leftMs = expiresAtMs - Date.now();
  if (leftMs > noticeMs) return good(id, `${what} is good until ${isoOf(expiresAtMs)}`);
  if (leftMs > 0)
    return doubtful(id, {
      seen: `${what} expires in ${countOf(Math.floor(leftMs / dayMs), 'day')}, at ${isoOf(expiresAtMs)}`,
      follows: 'then connections that are made with it are refused',
      hint: 'renew it',
      page,
    });
  return wrong(id, {
    seen: `${what} expired at ${isoOf(expiresAtMs)}`,
    follows: 'connections that are made with it are refused',
    hint: 'renew it',
    page,
  });
}

interface Served extends HostPort {
  readonly who: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Servers that speak TLS from the first byte. */
function servedOf(config: Config): readonly Served[] {
  const served: Served[] = [];
  const add = (who: string, place: HostPort | null, certFile = '', keyFile = ''): void => {
    if (place !== null) served.push({ who, ...place, certFile, keyFile });
  };
  if (config.clickhouseUrl.startsWith('https:'))
    add('ClickHouse', placeOf(config.clickhouseUrl), config.clickhouseTlsCert, config.clickhouseTlsKey);
  if (brokerOf(config) === 'kafka' && config.kafkaTls)
    for (const text of config.kafkaBrokers.split(','))
      add(`the broker ${text}`, parseHostPort(text), config.kafkaTlsCert, config.kafkaTlsKey);
  if (brokerOf(config) === 'pulsar' && config.pulsarUrl.startsWith('https:')) add('Pulsar', placeOf(config.pulsarUrl));
  return served;
}

function placeOf(url: string): HostPort | null {
  if (!URL.canParse(url)) return null;
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 443 : Number(port) };
}

const served = (path: string): string | undefined => (path === '' ? undefined : readFileSync(path, 'utf8'));

const servedProbe = ({ who, certFile, keyFile, ...place }: Served): Probe => ({
  id: 'door.served',
  hint: `see whether ${who} speaks TLS there`,
  page,
  look: async signal => {
    const [cert, key] = [served(certFile), served(keyFile)];
    const shown = { ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) };
    const found = await servedCertificate(place, shown, signal).catch(() => null);
    // That it does not answer at all is said by its own group.
    return found === null ? [] : [expiryOf('door.served', `the certificate of ${who}`, found.expiresAtMs)];
  },
});

const tokensPage = 'docs/operate/tokens.md';

const issuerProbe = ({ jwtIssuer: issuer, jwtJwksUrl: jwksUrl }: Config): Probe => ({
  id: 'door.issuer',
  hint: 'see UGC_JWT_ISSUER and UGC_JWT_JWKS_URL',
  page: tokensPage,
  look: async signal => {
    const id = 'door.issuer';
    const trouble = {
      follows: 'keys that are known stay good; tokens of other keys are answered 503',
      hint: 'bring it back, or set UGC_JWT_ISSUER or UGC_JWT_JWKS_URL right',
      page: tokensPage,
    };
    try {
      const { keys, leftOut } = readKeySet(await askForKeys({ issuer, jwksUrl }, signal));
      if (keys.length > 0) return [good(id, `the issuer answers with ${countOf(keys.length, 'key')}`)];
      const why = leftOut[0] === undefined ? '' : `: ${leftOut[0]}`;
      const seen = `the issuer answers, and none of its keys could check a token${why}`;
      return [wrong(id, { ...trouble, seen })];
    } catch (error) {
      return [
        wrong(id, { ...trouble, seen: `the issuer of tokens cannot be asked for its keys: ${messageOf(error)}` }),
      ];
    }
  },
});

const givenKeysProbe = (config: Config): Probe => ({
  id: 'door.tokens',
  hint: 'see UGC_JWT_PUBLIC_KEY',
  page: tokensPage,
  look: () => {
    const id = 'door.tokens';
    try {
      const keys = readGivenKeys(config.jwtPublicKey, algorithmsOf(config));
      return [good(id, `${countOf(keys.length, 'key')} of tokens can be read`)];
    } catch (error) {
      return [
        wrong(id, {
          seen: `the keys of tokens cannot be used: ${messageOf(error)}`,
          follows: 'ugc does not start with them; a running one keeps those it has read',
          hint: 'set UGC_JWT_PUBLIC_KEY to public keys, or to files of them',
          page: tokensPage,
        }),
      ];
    }
  },
});

const keysPage = 'docs/operate/keys.md';

const keysProbe = (path: string): Probe => ({
  id: 'door.keys',
  hint: 'see ugc keys ls',
  page: keysPage,
  look: () => {
    const id = 'door.keys';
    let keys: ReturnType<typeof readKeys>;
    try {
      keys = readKeys(path);
    } catch (error) {
      return [
        wrong(id, {
          seen: `the file of keys cannot be read: ${messageOf(error)}`,
          follows: 'ugc does not start with it; a running one keeps the keys it has, also those revoked since',
          hint: 'repair what it says, or put back the file as it was before',
          page: keysPage,
        }),
      ];
    }
    const now = Date.now();
    const counting = keys.filter(
      ({ revoked_at, expires_at }) => revoked_at === undefined && !(Date.parse(expires_at ?? '') <= now),
    );
    if (counting.length > 0) return [good(id, `${counting.length} of ${countOf(keys.length, 'key')} count`)];
    return [
      wrong(id, {
        seen:
          keys.length === 0 ? `there is no key in ${path}` : `none of ${countOf(keys.length, 'key')} counts in ${path}`,
        follows: 'whoever sends with a key is answered 401',
        hint: 'ugc keys add NAME',
        page: keysPage,
      }),
    ];
  },
});
