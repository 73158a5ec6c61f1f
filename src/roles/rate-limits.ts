// Rate limits by their settings: what they refuse is counted, and said in the log, now and then and not a line a request.

import type { Config } from '../config/config.ts';
import { type LimitOf, limited } from '../door/limits/limits.ts';
import { ratesOf } from '../door/limits/rate.ts';
import { keptOf } from '../http/client-address.ts';
import type { Admit } from '../http/route.ts';
import type { Logger, Metrics } from '../process/telemetry.ts';

export interface RateLimits {
  readonly admit: Admit;
  scrape(): void;
  close(): void;
}

export interface RateLimitsOptions {
  readonly config: Config;
  readonly admit: Admit;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Keys are fewer than addresses, and nobody else can make more of them. */
const callersMax = 200_000;
const sayEveryMs = 10_000;

export function rateLimitsOf({ config, admit, logger, metrics }: RateLimitsOptions): RateLimits {
  const keptAddress = keptOf(config.ip);
  const burstMs = config.rateLimitBurstSeconds * 1_000;
  const callers = ratesOf({ burstMs, clientsMax: callersMax });
  const addresses = ratesOf({ burstMs, clientsMax: config.rateLimitClientsMax });
  const refusals = { caller: 0, address: 0 };
  let last = '';
  const saying = setInterval(say, sayEveryMs);
  saying.unref();

  function onRefused(of: LimitOf, who: string): void {
    metrics.rateLimited.add(of);
    last = of === 'caller' ? who : `the address ${keptAddress?.(who) ?? who}`;
    if (refusals[of]++ === 0 && refusals.caller + refusals.address === 1)
      logger.warn(`${last} sends more than it may: refused with 429 (UGC_RATE_LIMIT_KEY, UGC_RATE_LIMIT_ADDRESS)`);
  }

  function say(): void {
    const { caller, address } = refusals;
    refusals.caller = 0;
    refusals.address = 0;
    if (caller + address > 1)
      logger.warn(
        { by_key: caller, by_address: address, last },
        `requests were refused in the last ${sayEveryMs / 1_000} s, as their senders send more than they may`,
      );
  }

  return {
    admit: limited({
      admit,
      callers,
      callerPerSecond: config.rateLimitKey,
      addresses,
      addressPerSecond: config.rateLimitAddress,
      onRefused,
    }),
    scrape: () => metrics.rateLimitForgotten.inc(callers.forgotten() + addresses.forgotten()),
    close: () => clearInterval(saying),
  };
}
