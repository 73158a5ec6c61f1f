// What is known of clients, by the settings: the file of countries live, and whose events are wanted.

import { keptOf } from '../http/client-address.ts';
import { agents } from '../ingest/client/agent.ts';
import { type Clients, clientsOf } from '../ingest/client/client.ts';
import { type Countries, readCountries } from '../ingest/client/country.ts';
import { ownTrafficOf } from '../ingest/client/own-traffic.ts';
import { type LiveFile, liveFile } from '../process/file.ts';
import { orRefused } from './or-refused.ts';
import type { Parts } from './role.ts';

export interface LiveClients {
  /** Undefined: nothing of it is asked for. */
  readonly clients: Clients | undefined;
  problem(): string | null;
  close(): void;
}

/** Throws `config_invalid` when the file of countries is wrong, or not there. */
export function openClients({ config, logger }: Pick<Parts, 'config' | 'logger'>): LiveClients {
  const file = config.geoipPath === '' ? null : openCountries({ config, logger });
  const clients = clientsOf({
    keptAddress: keptOf(config.ip),
    readAgent: agents(),
    tellsAgent: config.userAgentParse,
    bots: config.bots,
    countryOf: file === null ? null : address => file.value.of(address),
    privacy: config.privacySignals,
    isOwn: ownTrafficOf({ networks: config.ownNetworks, cookie: config.ownCookie, header: config.ownHeader }),
    own: config.ownTraffic,
  });
  return { clients, problem: () => file?.problem() ?? null, close: () => file?.close() };
}

function openCountries({ config, logger }: Pick<Parts, 'config' | 'logger'>): LiveFile<Countries> {
  const path = config.geoipPath;
  const tell = ({ title, builtAt }: Countries): void =>
    logger.info({ path, database: title, built_at: builtAt }, 'countries of addresses are known');
  const open = () => liveFile({ path, read: readCountries, what: 'countries of addresses', logger, onChange: tell });
  const file = orRefused('UGC_GEOIP_PATH', open);
  tell(file.value);
  return file;
}
