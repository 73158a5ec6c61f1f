// Who may, by token. A token that was found good is remembered until it ends or the keys change, and so costs a look-up
// and no cryptography; its events get its subject for their user.
//
// None that was refused is remembered: who sends junk would only send other junk, and most is refused before its
// signature is looked at.

import type { Admission, Caller } from '../../http/route.ts';
import { impliedBy, scopes as knownScopes, type Scope } from '../../ports/scope.ts';
import { type Remembered, remembered } from '../../process/remembered.ts';
import type { Way } from '../admit.ts';
import { insufficientScope, invalidToken, unavailable } from '../refusal.ts';
import { type Claims, clientOf, scopesOf, type TokenReason } from './claims.ts';
import type { FindKey } from './key-finders.ts';
import type { KeySet } from './key-set.ts';
import { checkToken, type TokenRules } from './token.ts';

/** `remembered`: found good before; `scope`: good, and not for this. */
export type TokenOutcome = 'checked' | 'remembered' | 'scope' | TokenReason;

export interface ByTokenOptions {
  readonly keys: Pick<KeySet, 'finders' | 'renew'>;
  readonly rules: TokenRules;
  /** What every token may, whatever it says. */
  readonly scopes: readonly Scope[];
  readonly onOutcome?: (outcome: TokenOutcome) => void;
  readonly now?: () => number;
}

/** A token that was found good. */
interface Good {
  readonly admission: Admission;
  readonly scopes: ReadonlySet<string>;
  /** Not after this. */
  readonly endsAtMs: number;
}

const bounds = { numberMax: 10_000, charactersMax: 16 * 1024 * 1024 };

export function byToken(options: ByTokenOptions): Way {
  const { keys, rules, scopes: common, onOutcome = () => {}, now = Date.now } = options;
  /** By which keys those that are remembered were found good. */
  let finders: readonly FindKey[] = keys.finders();
  let good: Remembered<Good> = remembered(bounds);

  return ({ text }, _, needs) => {
    if (keys.finders() !== finders) forget();
    const before = good.get(text);
    return before !== undefined && before.endsAtMs > now() ? allowed(before, needs, 'remembered') : looked(text, needs);
  };

  function forget(): void {
    finders = keys.finders();
    good = remembered(bounds);
  }

  async function looked(text: string, needs: string): Promise<Admission> {
    const checked = await checkToken(text, { keys, rules, now });
    if (!checked.ok) {
      const { reason, words } = checked.flaw;
      onOutcome(reason);
      return reason === 'unavailable'
        ? unavailable(`the token cannot be checked just now: ${words}`)
        : invalidToken(`the token does not count: ${words}`);
    }
    const found = goodOf(checked.claims);
    if (keys.finders() !== finders) forget();
    if (checked.by === finders) good.set(text, found); // else its key may be gone by now
    return allowed(found, needs, 'checked');
  }

  function allowed({ admission, scopes }: Good, needs: string, found: 'checked' | 'remembered'): Admission {
    const may = scopes.has(needs);
    onOutcome(may ? found : 'scope');
    return may ? admission : insufficientScope(`the token may not ${needs}: its scope has to say so`, needs);
  }

  function goodOf(claims: Claims): Good {
    const userId = String(claims.sub);
    // A key's id has no colon, so neither counts against the other.
    const said = scopesOf(claims);
    const given = knownScopes.filter(scope => common.includes(scope) || said.includes(scope));
    const scopes = new Set([...given, ...given.flatMap(scope => impliedBy[scope] ?? [])]);
    const caller: Caller = { name: clientOf(claims), userId, id: `sub:${userId}`, scopes };
    return { admission: { ok: true, caller }, scopes, endsAtMs: Number(claims.exp) * 1000 + rules.toleranceMs };
  }
}
