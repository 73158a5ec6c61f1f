// Who may: asked of each route that needs something, before its body is read. There are two ways in, by API key and by
// token; what looks like a key is one, anything else that is shown as a bearer is a token.
//
// 401 when a request shows nothing, or what does not count; 403 when it may not do this, or not from there; 503 when a
// token cannot be checked just now.

import { type Admission, type Admit, type Call, everybody } from '../http/route.ts';
import { type Credential, credentialOf } from './credential.ts';
import { looksLikeKey } from './keys/key.ts';
import { unauthorized } from './refusal.ts';

/** One way in: what becomes of what is shown. */
export type Way = (shown: Credential, call: Omit<Call, 'caller'>, needs: string) => Admission | Promise<Admission>;

/** With what does not work of it just now, in words, by part. */
export interface OpenWay {
  readonly way: Way;
  problems(): Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** One at least. */
export interface Ways {
  readonly byKey?: Way;
  readonly byToken?: Way;
}

export function admitBy({ byKey, byToken }: Ways): Admit {
  const nothing = unauthorized(
    `send ${[byKey && aKey, byToken && aToken].filter(way => way !== undefined).join('; or ')}`,
  );
  const noKeys = unauthorized(`API keys do not count here: send ${aToken}`);
  const noToken = unauthorized(`a token counts in one place alone: send ${aToken}`);

  return (call, needs) => {
    if (needs === null) return everybody;
    const { headers, url } = call.request;
    const shown = credentialOf(headers, url);
    if (shown === null) return nothing;
    if (byToken !== undefined && shown.isBearer && !looksLikeKey(shown.text)) return byToken(shown, call, needs);
    if (byKey !== undefined) return byKey(shown, call, needs);
    return looksLikeKey(shown.text) ? noKeys : noToken;
  };
}

const aKey = 'an API key: Authorization: Bearer ugc_…, X-Api-Key, or ?key= with a public one';
const aToken = 'a token: Authorization: Bearer <JWT>';
