// Traffic of one's own people: from networks of theirs, with a cookie or a header that others do not have.

import type { Networks } from '../../process/address.ts';

export interface OwnTraffic {
  readonly networks: Networks | null;
  /** `name` or `name=value`; '' = none. */
  readonly cookie: string;
  /** `name` or `name=value`; '' = none. */
  readonly header: string;
}

export type IsOwn = (headers: Headers, address: string) => boolean;

/** Null: there is nothing it could be known by. */
export function ownTrafficOf({ networks, cookie, header }: OwnTraffic): IsOwn | null {
  if (networks === null && cookie === '' && header === '') return null;
  const [headerName, headerValue] = pairOf(header);
  return (headers, address) => {
    if (networks?.has(address) === true) return true;
    if (headerName !== '' && fits(headers.get(headerName), headerValue)) return true;
    return cookie !== '' && hasCookie(headers.get('cookie'), cookie);
  };
}

function pairOf(text: string): readonly [string, string | null] {
  const at = text.indexOf('=');
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
}

const fits = (said: string | null, wanted: string | null): boolean =>
  said !== null && (wanted === null || said === wanted);

/** RFC 6265 §5.4: pairs with semicolons between. */
function hasCookie(said: string | null, wanted: string): boolean {
  if (said === null) return false;
  const prefix = wanted.includes('=') ? null : `${wanted}=`;
  return said.split(';').some(pair => {
    const text = pair.trim();
    return text === wanted || (prefix !== null && text.startsWith(prefix));
  });
}
