// The stamp an edge puts in front of every body it writes, and by which every reader tells what a record is:
// {"event_id":"<36 characters>","event_type":"<type>","schema_version":<version>,"received_at":"…
// An event of another producer may have an id and a type in front, but not the rest.

import { isUuid } from '../../schemas/uuid.ts';

export interface Stamp {
  readonly type: string;
  /** Of the type's definition, by which the body was judged and written. */
  readonly version: number;
}

/** In front of the event_id. */
export const stampStart = '{"event_id":"';
/** Where the event_id ends. */
export const stampAt = stampStart.length + 36;

/** The event_id of a body that an edge has written. */
export const idOf = (body: string): string => body.slice(stampStart.length, stampAt);

/** What a body of this event begins with, and no other: what bodies are searched for. */
export const bodyStart = (id: string): string => `${stampStart}${id}"`;

/** Whether a text is an event_id as an edge writes it, or another id as we make them: a UUID in lower case. */
export const isId = (text: string): boolean => isUuid(text) && text === text.toLowerCase();

/** What follows the event_id, up to and with the comma behind the version. */
export const stampText = ({ type, version }: Stamp): string => `","event_type":"${type}","schema_version":${version},`;

export const versionMax = 65_535;

export const isVersion = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= versionMax;

const pattern = /^","event_type":"([a-z0-9_]{1,100})","schema_version":([1-9]\d{0,4}),/i;
/** No stamp is longer than this, from `stampAt` on. */
export const stampLengthMax = stampText({ type: 'x'.repeat(100), version: versionMax }).length;

/** The stamp in what follows an event_id, or null. */
export function readStamp(text: string): Stamp | null {
  const [, type, digits] = pattern.exec(text) ?? [];
  const version = Number(digits);
  return type !== undefined && isVersion(version) ? { type, version } : null;
}

/** Why a record has to wait, for its operator. */
export const newerThan = ({ type, version }: Stamp, known: number): string =>
  `${type} of version ${version} was written by a newer ugc, this one knows ${known}: upgrade this one`;
