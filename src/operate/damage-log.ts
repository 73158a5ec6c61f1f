// Damage met while reading the buffer, on stderr: the first places one by one, the rest as a number.

import type { BufferDamage } from '../ports/buffer-file.ts';
import { countOf, say } from './output.ts';

const placesMax = 20;

export interface DamageLog {
  readonly note: (damage: BufferDamage) => void;
  /** Says how much more there was; gives back at how many places. */
  end(): number;
}

export function damageLog(): DamageLog {
  let places = 0;
  return {
    note({ position, records, what }) {
      if (++places > placesMax) return;
      say(`left out at ${position}: ${records === null ? '' : `${countOf(records, 'event')}, `}${what}`);
    },
    end() {
      if (places > placesMax) say(`and ${countOf(places - placesMax, 'place')} more; see ugc buffer verify`);
      return places;
    },
  };
}
