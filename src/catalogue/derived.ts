// What the edge knows of a client besides what its events say, put into an event before it is judged. What an event says
// goes before what is known otherwise; what has no field of its own stands in `properties.edge`.
//
// No column and no field of the stamp of its own: a record with it is a record like any other, to every version of ugc and
// to every other reader of the log.

import type { EventType, NamedField } from '../../schemas/event.ts';
import { misfitsOf } from '../../schemas/misfit.ts';
import type { JsonObject } from './rejection.ts';

export interface Derived {
  /** Two capital letters; '' = looked for and not known; absent = nobody looks. */
  readonly country?: string | undefined;
  /** mobile, tablet, desktop or tv; '' and absent as of a country. */
  readonly device?: string | undefined;
  /** For `properties.edge`: plain names and plain values, nothing that JSON escapes. */
  readonly marks?: Readonly<Record<string, string | true>> | undefined;
  /** Who it is of is not to be stored, where its type can do without. */
  readonly isNobody?: boolean;
}

/** Where marks stand in `properties`. */
export const marksName = 'edge';

export type Fill = (event: JsonObject, derived: Derived) => JsonObject;

/** An event with what is known of its client; the same object where nothing is missing. */
export function fillOf({ allFields }: EventType): Fill {
  const fieldOf = (name: string): NamedField | undefined => allFields.find(field => field.name === name);
  const takesCountry = takesTexts(fieldOf('country'), ['', 'US']);
  const takesDevice = takesTexts(fieldOf('device'), ['', 'mobile', 'tablet', 'desktop', 'tv']);
  const needsUser = fieldOf('user_id')?.absent === undefined;
  return (event, { country, device, marks, isNobody }) => {
    const more: JsonObject = {};
    if (country !== undefined && takesCountry && isUnsaid(event.country)) more.country = country;
    if (device !== undefined && takesDevice && isUnsaid(event.device)) more.device = device;
    if (marks !== undefined) {
      const properties = event.properties ?? {};
      // Whatever is not an object is for the judge to refuse.
      if (isObject(properties) && !Object.hasOwn(properties, marksName))
        more.properties = { ...properties, [marksName]: marks };
    }
    if (isNobody !== true) return { ...event, ...more };
    const { user_id: user, anonymous_id: _, ...rest } = event;
    return { ...rest, ...(needsUser && user !== undefined && { user_id: user }), ...more };
  };
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isUnsaid = (value: unknown): boolean => value === undefined || value === null || value === '';

/** A type may have a field of that name that means something else. */
const takesTexts = (field: NamedField | undefined, texts: readonly string[]): boolean =>
  field?.kind === 'text' && texts.every(text => misfitsOf([field], { [field.name]: text }, 1).length === 0);
