// Who may, by API key: asked of each route that needs something, before its body is read.
//
// 401 when a request shows no key, or one that does not count; 403 when its key may not do this, or not from there.

import { PipelineError } from '../errors.ts';
import { type Answer, problem } from '../http/answer.ts';
import type { Admission, Admit, Caller } from '../http/route.ts';
import { admitsOrigin } from '../process/origin.ts';
import { credentialOf } from './credential.ts';
import { kindOf } from './key.ts';
import type { Keyring } from './keyring.ts';
import type { StoredKey } from './keys-file.ts';

const challenge = { 'www-authenticate': 'Bearer realm="ugc"' };

export function admitByKeys(keyring: Pick<Keyring, 'find'>): Admit {
  /** Made once for each key: at many thousand requests a second each object counts. */
  const admissions = new WeakMap<StoredKey, Admission>();

  function admissionOf(key: StoredKey): Admission {
    let admission = admissions.get(key);
    if (admission === undefined) {
      const { name, id, rate, event_types: eventTypes } = key;
      const caller: Caller = {
        name,
        id,
        ...(eventTypes !== undefined && { eventTypes: new Set(eventTypes) }),
        ...(rate !== undefined && { perSecond: rate }),
      };
      admission = { ok: true, caller };
      admissions.set(key, admission);
    }
    return admission;
  }

  return ({ request: { headers, url } }, needs) => {
    const credential = credentialOf(headers, url);
    if (credential === null)
      return unauthorized('send an API key: Authorization: Bearer ugc_…, X-Api-Key, or ?key= with a public one');
    const key = keyring.find(credential.text);
    if (typeof key === 'string') return unauthorized(`the API key does not count: ${key}`);
    if (credential.isInUrl && kindOf(credential.text) === 'secret')
      return unauthorized(
        'a secret key does not belong into an address, where logs and proxies keep it: replace it, and send the new one in a header',
      );
    if (!key.scopes.some(scope => scope === needs)) return forbidden(`the key "${key.name}" may not ${needs}`);
    const origin = headers.get('origin');
    if (origin !== null && key.origins !== undefined && !admitsOrigin(key.origins, origin))
      return forbidden(`the key "${key.name}" may not be used from ${origin.slice(0, 200)}`);
    return admissionOf(key);
  };
}

const refused = (answer: Answer): Admission => ({ ok: false, answer });
const unauthorized = (words: string): Admission =>
  refused(problem(new PipelineError('unauthorized', words), { headers: challenge }));
const forbidden = (words: string): Admission => refused(problem(new PipelineError('forbidden', words)));
