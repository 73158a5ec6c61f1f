// Secrets given as flags: every user of the machine reads them in the list of processes. Said once at the start.

import { settings } from './config.ts';
import { envName, flagName } from './parse.ts';

/** In words, each, without the value; none when no flag carries a secret. An address carries one when it has a password. */
export function shownSecretsOf(flags: readonly string[]): readonly string[] {
  return Object.entries(settings).flatMap(([key, { secret }]) => {
    const name = flagName(key);
    const isShown =
      secret && flags.some(flag => flag.startsWith(`${name}=`) && holdsSecret(flag.slice(name.length + 1)));
    return isShown
      ? [
          `${name} shows a secret to everybody who can list processes: set ${envName(key)}_FILE or ${envName(key)} instead`,
        ]
      : [];
  });
}

function holdsSecret(value: string): boolean {
  if (!URL.canParse(value)) return value !== '';
  const { protocol, password, search, searchParams } = new URL(value);
  return (
    !/^(https?|postgres(ql)?):$/.test(protocol) ||
    password !== '' ||
    (protocol.startsWith('http') ? search !== '' : searchParams.has('password'))
  );
}
