// What brings events to a size: text in their free object, `properties`, which every type has. It is words of made-up language
// and not one letter over and over, so that it compresses about as text of people does.

import type { Random } from './random.ts';

/** The text of one event as JSON, with as much more as it lacks; what is large enough stays as it is. */
export type Padding = (event: string) => string;

const poolLength = 262_144;
const vocabulary = 3_000;
const syllables =
  'ba be bi bo da de di do fa fe ka ke ki ko la le li lo ma me mi mo na ne ni no ra re ri ro sa se'.split(' ');

/** Where it stands: in the place of the last `cut` characters of the event, which `closes` ends with again. */
export interface Place {
  readonly cut: number;
  readonly opens: string;
  readonly closes: string;
}

export const ownPlace: Place = { cut: 1, opens: ',"properties":{"padding":"', closes: '"}}' };
/** Of a track: what is no field of its type becomes a property. */
export const trackPlace: Place = { cut: 2, opens: ',"padding":"', closes: '"}}' };

/** `eventBytes` in UTF-8. */
export function paddingTo(eventBytes: number, { cut, opens, closes }: Place, random: Random): Padding {
  const words = Array.from({ length: vocabulary }, () =>
    Array.from({ length: random.between(1, 4) }, () => random.pick(syllables)).join(''),
  );
  const length = poolLength + eventBytes;
  let pool = '';
  while (pool.length < length) pool += `${random.pick(words)} `;
  const around = opens.length + closes.length - cut;
  return event => {
    const lacks = eventBytes - Buffer.byteLength(event) - around;
    if (lacks < 1) return event;
    const from = Math.floor(random.next() * poolLength);
    return event.slice(0, -cut) + opens + pool.slice(from, from + lacks) + closes;
  };
}
