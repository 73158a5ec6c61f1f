// The country of an address, by a file of MaxMind's format (https://maxmind.github.io/MaxMind-DB/): of GeoLite2 or GeoIP2,
// DB-IP or IPinfo, of countries or of cities.

import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { Reader } from 'mmdb-lib';
import { remembered } from '../../process/remembered.ts';

export interface Countries {
  /** Two capital letters (ISO 3166-1); '' = not known. */
  of(address: string): string;
  /** What the file says that it is. */
  readonly title: string;
  readonly builtAt: Date;
}

/** Addresses that are remembered. */
const numberMax = 20_000;
const charactersMax = 1_000_000;

/** Throws an Error in words when the file is none of that kind. */
export function readCountries(path: string): Countries {
  const reader = readerOf(path);
  const { databaseType, buildEpoch, ipVersion } = reader.metadata;
  const known = remembered<string>({ numberMax, charactersMax });

  function found(address: string): string {
    if (isIP(address) === 0 || (ipVersion === 4 && address.includes(':'))) return '';
    try {
      return countryIn(reader.get(address));
    } catch {
      return ''; // of a damaged file; an event is worth more than its country
    }
  }

  return {
    of(address) {
      const before = known.get(address);
      if (before !== undefined) return before;
      const country = found(address);
      known.set(address, country);
      return country;
    },
    title: databaseType,
    builtAt: buildEpoch,
  };
}

function readerOf(path: string): Reader<Record<string, unknown> & object> {
  const bytes = readFileSync(path);
  try {
    const reader = new Reader<Record<string, unknown> & object>(bytes);
    reader.get('192.0.2.1'); // a file that was cut is found out here
    return reader;
  } catch (error) {
    throw new Error(`${path} is no MaxMind file (.mmdb), or not all of one`, { cause: error });
  }
}

/** MaxMind and DB-IP: `country.iso_code`, else of who has the network; IPinfo: `country_code`, or `country` itself. */
function countryIn(record: unknown): string {
  const { country, registered_country: registered, country_code: code } = (record ?? {}) as Record<string, unknown>;
  const said = [isoIn(country), isoIn(registered), code, country].find(text => typeof text === 'string');
  return typeof said === 'string' && /^[A-Z]{2}$/.test(said) ? said : '';
}

const isoIn = (place: unknown): unknown =>
  typeof place === 'object' && place !== null ? (place as Record<string, unknown>).iso_code : undefined;
