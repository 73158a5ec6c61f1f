// What the edge knows of a client besides what its events say. Into an event, before it is judged, goes what has a field of
// its own; into its body, once it is written, what has none: `properties.edge`. What an event says goes before what is
// known otherwise.
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
  /** By its User-Agent, and it is to be said. */
  readonly isBot?: boolean;
  /** As marksText makes it. */
  readonly marks?: string | undefined;
  /** Who it is of is not to be stored, where its type can do without. */
  readonly isNobody?: boolean;
}

/** Where marks stand in `properties`. */
const marksName = 'edge';

/** For the body of an event: canonical JSON of texts that are ours, `"edge":{…}`. */
export const marksText = (marks: Readonly<Record<string, string | true>>): string =>
  `"${marksName}":${JSON.stringify(marks)}`;

/** The written fields of an event, of which `properties` are the last, with marks unless its client has said some. */
export function withMarks(fields: string, { properties }: JsonObject, marks: string): string {
  if (typeof properties === 'object' && properties !== null && Object.hasOwn(properties, marksName)) return fields;
  const open = fields.slice(0, -1);
  return `${open}${open.endsWith('{') ? '' : ','}${marks}}`;
}

export type Fill = (event: JsonObject, derived: Derived) => JsonObject;

/** An event with what is known of its client; the same object where there is nothing to change. */
export function fillOf({ allFields }: EventType): Fill {
  const fieldOf = (name: string): NamedField | undefined => allFields.find(field => field.name === name);
  const takesCountry = takesTexts(fieldOf('country'), ['', 'US']);
  const takesDevice = takesTexts(fieldOf('device'), ['', 'mobile', 'tablet', 'desktop', 'tv']);
  const needsUser = fieldOf('user_id')?.absent === undefined;

  const nobodyOf = ({ user_id: user, anonymous_id: _, ...rest }: JsonObject): JsonObject =>
    needsUser && user !== undefined ? { ...rest, user_id: user } : rest;

  return (given, { country, device, isNobody }) => {
    const event = isNobody === true ? nobodyOf(given) : given;
    const lacksCountry = country !== undefined && takesCountry && isUnsaid(event.country);
    const lacksDevice = device !== undefined && takesDevice && isUnsaid(event.device);
    if (!lacksCountry && !lacksDevice) return event;
    return { ...event, ...(lacksCountry && { country }), ...(lacksDevice && { device }) };
  };
}

const isUnsaid = (value: unknown): boolean => value === undefined || value === null || value === '';

/** A type may have a field of that name that means something else. */
const takesTexts = (field: NamedField | undefined, texts: readonly string[]): boolean =>
  field?.kind === 'text' && texts.every(text => misfitsOf([field], { [field.name]: text }, 1).length === 0);
