// Who may, by API key.

import type { Admission, Caller } from '../../http/route.ts';
import { admitsOrigin, originOf } from '../../process/origin.ts';
import type { Way } from '../admit.ts';
import { forbidden, unauthorized } from '../refusal.ts';
import { kindOf } from './key.ts';
import type { Keyring } from './keyring.ts';
import type { StoredKey } from './keys-file.ts';

export function byKey(keyring: Pick<Keyring, 'find'>): Way {
  /** Made once for each key: at many thousand requests a second each object counts. */
  const admissions = new WeakMap<StoredKey, Admission>();

  function admissionOf(key: StoredKey): Admission {
    let admission = admissions.get(key);
    if (admission === undefined) {
      const { name, id, kind, rate, event_types: eventTypes } = key;
      const caller: Caller = {
        name,
        id,
        ...(kind === 'secret' && { isServer: true }),
        ...(eventTypes !== undefined && { eventTypes: new Set(eventTypes) }),
        ...(rate !== undefined && { perSecond: rate }),
      };
      admission = { ok: true, caller };
      admissions.set(key, admission);
    }
    return admission;
  }

  return ({ text, isInUrl }, { request }, needs) => {
    const key = keyring.find(text);
    if (typeof key === 'string') return unauthorized(`the API key does not count: ${key}`);
    if (isInUrl && kindOf(text) === 'secret')
      return unauthorized(
        'a secret key does not belong into an address, where logs and proxies keep it: replace it, and send the new one in a header',
      );
    if (!key.scopes.some(scope => scope === needs)) return forbidden(`the key "${key.name}" may not ${needs}`);
    const origin = key.origins === undefined ? null : originOf(request.headers);
    if (origin !== null && !admitsOrigin(key.origins!, origin))
      return forbidden(`the key "${key.name}" may not be used from ${origin.slice(0, 200)}`);
    return admissionOf(key);
  };
}
