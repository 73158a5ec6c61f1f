// The certificate as it is just now. Its files are looked at twice a second, and count together once they have stood still
// for one look: who renews writes one file after the other. What does not fit changes nothing, and is said once.

import { messageOf } from '../errors.ts';
import { stampOfFile } from '../process/file.ts';
import type { Logger } from '../process/telemetry.ts';
import {
  type Certificate,
  type CertificateFiles,
  readCertificate,
  type Validity,
  validityOf,
  validityWords,
} from './certificate.ts';

export interface RenewedCertificate {
  readonly current: Certificate;
  /** Calls `use` with each later one. Where it throws, that one does not count. */
  onRenewal(use: (certificate: Certificate) => void): void;
  /** What is wrong with the files or with the days left, in words; null = nothing. */
  problem(): string | null;
  /** Looks at once. */
  look(): void;
  close(): void;
}

export interface RenewedCertificateOptions {
  readonly files: CertificateFiles;
  readonly logger: Logger;
  readonly now?: () => number;
}

const lookEveryMs = 500;

/** Throws when the files are wrong; a certificate that has expired is shown all the same, as no event is better lost. */
export function renewedCertificate({ files, logger, now = Date.now }: RenewedCertificateOptions): RenewedCertificate {
  let counted = stampsOf(files);
  let seen = counted;
  let current = readCertificate(files);
  let wrong: string | null = null;
  let told: Validity = 'good';
  const uses: ((certificate: Certificate) => void)[] = [];
  const looking = setInterval(look, lookEveryMs);
  looking.unref();
  tell();

  function look(): void {
    tell();
    const stamps = stampsOf(files);
    const stoodStill = stamps === seen;
    seen = stamps;
    if (stamps === counted || !stoodStill) return;
    const next = readAgain();
    if (stampsOf(files) !== stamps) return; // swapped while they were read
    if (next instanceof Error) refuse(next);
    else if (!isSame(next, current) && !become(next))
      return; // no files left, perhaps: tried again at the next look
    else wrong = null;
    counted = stamps;
  }

  function readAgain(): Certificate | Error {
    try {
      return readCertificate(files);
    } catch (error) {
      return error as Error;
    }
  }

  /** Said once for each reason. */
  function refuse(error: unknown): void {
    const words = `${messageOf(error)}; the certificate of before is still shown`;
    if (words !== wrong) logger.error({ reason: words }, 'the new TLS certificate does not count');
    wrong = words;
  }

  function become(next: Certificate): boolean {
    const before = current;
    current = next;
    try {
      for (const use of uses) use(next);
    } catch (error) {
      current = before;
      refuse(error);
      return false;
    }
    const { serial, expiresAtMs } = next;
    const about = { serial, expires_at: new Date(expiresAtMs).toISOString() };
    logger.info(about, 'the TLS certificate was renewed: new connections are shown it');
    tell();
    return true;
  }

  /** Once for each sort of problem. */
  function tell(): void {
    const validity = validityOf(current, now());
    if (validity === told) return;
    told = validity;
    if (validity !== 'good') logger.warn(validityWords(current, now()));
  }

  return {
    get current() {
      return current;
    },
    onRenewal: use => void uses.push(use),
    problem: () => wrong ?? validityWords(current, now()),
    look,
    close: () => clearInterval(looking),
  };
}

const isSame = (one: Certificate, other: Certificate): boolean =>
  one.cert === other.cert && one.key === other.key && one.clientCa === other.clientCa;

const stampsOf = ({ cert, key, clientCa }: CertificateFiles): string =>
  [cert, key, clientCa].map(stampOfFile).join(', ');
