// The door's way in by token, by its settings.

import type { Config } from '../config/config.ts';
import { algorithmsOf } from '../config/jwt.ts';
import type { OpenWay } from '../door/admit.ts';
import { byToken } from '../door/tokens/by-token.ts';
import { readGivenKeys } from '../door/tokens/given-keys.ts';
import { askForKeys } from '../door/tokens/issuer.ts';
import { findersOf, secretFinder } from '../door/tokens/key-finders.ts';
import { fixedKeys, type KeySet, loadedKeys } from '../door/tokens/key-set.ts';
import type { TokenRules } from '../door/tokens/token.ts';
import { issuerKeysFile } from '../process/instance.ts';
import type { Logger, Metrics } from '../process/telemetry.ts';
import { orRefused } from './or-refused.ts';

export interface TokensOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'doorTokens'>;
}

/** Throws `config_invalid` when the keys that were given are wrong. An issuer that does not answer is no failure. */
export function openTokens({ config, logger, metrics }: TokensOptions): OpenWay {
  const rules = rulesOf(config);
  const keys = tokenKeysOf(config, rules, logger);
  return {
    way: byToken({ keys, rules, scopes: config.jwtScopes, onOutcome: metrics.doorTokens.add }),
    problems: () => {
      const problem = keys.problem();
      return problem === null ? {} : { jwt: problem };
    },
    close: keys.close,
  };
}

function rulesOf(config: Config): TokenRules {
  const { jwtIssuer, jwtAudience, jwtClockToleranceSeconds } = config;
  return {
    issuer: jwtIssuer,
    audiences: jwtAudience.includes('*') ? [] : jwtAudience,
    algorithms: algorithmsOf(config),
    toleranceMs: jwtClockToleranceSeconds * 1000,
  };
}

function tokenKeysOf(config: Config, { algorithms }: TokenRules, logger: Logger): KeySet {
  const { jwtIssuer: issuer, jwtJwksUrl: jwksUrl, jwtPublicKey, jwtSecret, jwtReloadSeconds, dataDir } = config;
  if (jwtSecret !== '') return fixedKeys(secretFinder(jwtSecret));
  if (jwtPublicKey !== '')
    return fixedKeys(findersOf(orRefused('UGC_JWT_PUBLIC_KEY', () => readGivenKeys(jwtPublicKey, algorithms))));
  return loadedKeys({
    from: jwksUrl === '' ? issuer : jwksUrl,
    load: signal => askForKeys({ issuer, jwksUrl }, signal),
    path: issuerKeysFile(dataDir),
    reloadEveryMs: jwtReloadSeconds * 1000,
    logger,
  });
}
