// HTTPS at the front, opened: its certificate from the settings, renewed while the process runs.

import { steerTo } from '../adapters/linux/steer.ts';
import type { Config } from '../config/config.ts';
import { messageOf, PipelineError } from '../errors.ts';
import { readCertificate, validityOf, validityWords } from '../http/certificate.ts';
import { type RenewedCertificate, renewedCertificate } from '../http/renewed-certificate.ts';
import type { FrontTls } from '../http/secure.ts';
import type { Logger, Metrics } from '../process/telemetry.ts';
import type { Role } from './role.ts';

export interface Tls extends Role {
  /** Absent = plain HTTP. */
  readonly front?: FrontTls;
}

/** Throws `config_invalid` when a file cannot be read or the files do not belong together. */
export function openTls(config: Config, logger: Logger, metrics: Metrics): Tls {
  if (config.tlsCert === '') return { close: async () => {} };
  const certificate = certificateOf(config, logger);
  return {
    front: {
      certificate,
      steer: steerTo,
      isAdminToo: config.adminTls,
      hstsSeconds: config.hstsSeconds,
      redirectPort: config.httpRedirectPort,
      redirectTo: config.httpRedirectTo,
    },
    problems: () => {
      const problem = certificate.problem();
      return problem === null ? {} : { tls: problem };
    },
    scrape: async () => {
      const { serial, expiresAtMs } = certificate.current;
      metrics.tlsExpires.reset();
      metrics.tlsExpires.set({ serial }, expiresAtMs / 1_000);
    },
    close: async () => certificate.close(),
  };
}

/** For a command: what is shown to clients now. Null = plain HTTP. Throws an Error where it cannot be read. */
export function frontCertificate({ tlsCert: cert, tlsKey: key, tlsClientCa: clientCa }: Config) {
  if (cert === '') return null;
  const certificate = readCertificate({ cert, key, clientCa });
  const validity = validityOf(certificate, Date.now());
  return {
    expiresAtMs: certificate.expiresAtMs,
    isOver: validity === 'over' || validity === 'early',
    problem: validityWords(certificate, Date.now()),
  };
}

function certificateOf(
  { tlsCert: cert, tlsKey: key, tlsClientCa: clientCa }: Config,
  logger: Logger,
): RenewedCertificate {
  try {
    return renewedCertificate({ files: { cert, key, clientCa }, logger });
  } catch (error) {
    throw new PipelineError('config_invalid', `no HTTPS: ${messageOf(error)}`, { cause: error });
  }
}
