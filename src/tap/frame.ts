// Messages of the stream as they go out: server-sent events (HTML Standard §9.2), each with an id, data of one line of JSON.
//
// A body is told as it is stored, cut where it is long; values of fields that are called like secrets are left out, as are
// such parts of an address. Of what was rejected only its shape is told: nobody knows what a sender put where.

import { secretName } from '../../schemas/misfit.ts';
import { isoOf } from '../process/clock.ts';
import { type OneJudged, outcomeOf, typeOf, userOf } from './filter.ts';

export interface Frame {
  readonly event: string;
  readonly id: string;
  /** JSON, without a line break. */
  readonly data: string;
}

export const frameText = ({ event, id, data }: Frame): string => `event: ${event}\nid: ${id}\ndata: ${data}\n\n`;

/** Before the first message: from where a reader that comes again resumes, and when it may. */
export const openingText = (id: string, retryMs: number): string => `id: ${id}\nretry: ${retryMs}\n\n`;

/** A comment: it says no more than that the connection lives. */
export const beatText = ':\n\n';

/** Characters of a body, of one name and of a list of findings. */
const bodyMax = 4_096;
const nameMax = 300;

export function passedFrame(passed: OneJudged, atMs: number, id: string): Frame {
  const { judged, outcome, glimpse } = passed;
  const common = `"at":"${isoOf(atMs)}","outcome":"${outcomeOf(passed)}","type":"${typeOf(judged)}","source":${textOf(passed.source)},"user":${textOf(userOf(passed))}`;
  if (!judged.ok && judged.envelope === undefined) {
    const { reason, errors } = judged;
    const told = { id: glimpse?.id ?? null, reason, path: errors[0]?.path ?? '', errors: errors.map(shortened) };
    const shape = glimpse === null || glimpse.shape === '' ? 'null' : glimpse.shape;
    return { event: 'rejected', id, data: `{${common},${JSON.stringify(told).slice(1, -1)},"shape":${shape}}` };
  }
  const envelope = judged.envelope!;
  const reason = judged.ok ? (outcome?.ok ? null : (outcome?.error.code ?? 'internal')) : (judged.rule ?? null);
  const stored = judged.ok && outcome?.ok ? `,"stored":"${outcome.stored}"` : '';
  const because = reason === null ? '' : `,"reason":${textOf(reason)}`;
  return {
    event: 'event',
    id,
    data: `{${common},"id":"${envelope.id}"${stored}${because},${bodyText(envelope.body)}}`,
  };
}

const textOf = (text: string | null): string =>
  text === null ? 'null' : JSON.stringify(text.slice(0, nameMax).toWellFormed());

const shortened = ({ path, message }: { readonly path: string; readonly message: string }) => ({
  path: path.slice(0, nameMax),
  message: message.slice(0, nameMax),
});

/** `"body":{…}`, or the beginning of a long one as text: `"body_start":"…","body_length":…`. */
function bodyText(body: string): string {
  const told = hidden(body);
  if (told.length <= bodyMax) return `"body":${told}`;
  return `"body_start":${JSON.stringify(told.slice(0, bodyMax).toWellFormed())},"body_length":${body.length}`;
}

/** JSON without the values of what is called like a secret; most has none, and is not looked into. */
export const hidden = (json: string): string =>
  mayHide.test(json) ? JSON.stringify(JSON.parse(json), withoutSecrets) : json;

const mayHide = new RegExp(`${secretName.source}|ugc_[ps]k_`, 'i');
const keyPattern = /ugc_[ps]k_\w+/g;
/** `?name=value` and its like in an address. */
const parameterPattern = /([?&;#])([^=&;#?]{1,100})=([^&;#]+)/g;

function withoutSecrets(name: string, value: unknown): unknown {
  if (secretName.test(name)) return hiddenWord;
  if (typeof value !== 'string') return value;
  return value
    .replace(keyPattern, hiddenWord)
    .replace(parameterPattern, (whole, start: string, parameter: string) =>
      secretName.test(parameter) ? `${start}${parameter}=${hiddenWord}` : whole,
    );
}

const hiddenWord = '(hidden)';
