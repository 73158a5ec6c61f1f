// ListObjectsV2, page after page. Keys are asked for as URLs spell them: XML cannot hold every one.

import type { ColdFile } from '../../ports/cold-store.ts';
import { errorOf, refusalOf } from './error.ts';
import type { Send } from './request.ts';

export interface S3Object {
  readonly key: string;
  readonly bytes: number;
  /** Epoch milliseconds. */
  readonly modifiedAtMs: number;
}

/** Objects whose keys begin so. */
export async function objectsOf(send: Send, prefix: string, signal: AbortSignal): Promise<readonly S3Object[]> {
  const all: S3Object[] = [];
  for (let token = ''; ; ) {
    const query = {
      'list-type': '2',
      'encoding-type': 'url',
      ...(prefix !== '' && { prefix }),
      ...(token !== '' && { 'continuation-token': token }),
    };
    const { answer, bytes, where } = await send({ method: 'GET', key: '', query, signal });
    const text = new TextDecoder().decode(bytes);
    if (!answer.ok) throw errorOf(where, refusalOf(answer, text));
    const isSpelt = tagOf(text, 'EncodingType') === 'url';
    for (const [, content] of text.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)) {
      const key = unescaped(tagOf(content!, 'Key'));
      all.push({
        key: isSpelt ? decodeURIComponent(key.replaceAll('+', '%20')) : key,
        bytes: Number(tagOf(content!, 'Size')),
        modifiedAtMs: Date.parse(tagOf(content!, 'LastModified')),
      });
    }
    token = unescaped(tagOf(text, 'NextContinuationToken'));
    if (tagOf(text, 'IsTruncated') !== 'true' || token === '') return all;
  }
}

/** Without the prefix, by path in order of UTF-8 bytes. */
export function filesOf(
  objects: readonly S3Object[],
  prefix: string,
  isHidden: (path: string) => boolean,
): readonly ColdFile[] {
  return objects
    .map(({ key, bytes }) => ({ path: key.slice(prefix.length), bytes, spelt: Buffer.from(key) }))
    .filter(({ path }) => !path.endsWith('/') && path !== '' && !isHidden(path)) // consoles make "folders" so
    .sort((one, other) => Buffer.compare(one.spelt, other.spelt))
    .map(({ path, bytes }) => ({ path, bytes }));
}

const tagOf = (xml: string, name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? '';

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const unescaped = (text: string): string =>
  text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex?: string, digits?: string, name?: string) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return digits !== undefined ? String.fromCodePoint(Number(digits)) : (entities[name!] ?? whole);
  });
