// The body of a request → fields that fit, or all that is wrong with it at once: a field that is not known, of the wrong
// type, given twice, or with what no text may hold.

import type { Field } from '../../schemas/field.ts';
import { type Misfit, misfitsOf, pointerOf } from '../../schemas/misfit.ts';
import { hintOf } from '../../schemas/nearest.ts';
import { PipelineError } from '../errors.ts';
import { type Answer, problem } from '../http/answer.ts';
import { readText } from '../http/body.ts';
import type { Call } from '../http/route.ts';
import { parseJson, repeatedNames } from '../record/json.ts';
import type { Content } from './content.ts';
import { filmIdProblem } from './ids.ts';

export type Fields = readonly (Field & { readonly name: string })[];
export type Body = Readonly<Record<string, unknown>>;

const misfitsMax = 10;

/** What was sent does not fit. */
export class Unfit extends Error {
  readonly errors: readonly Misfit[];
  override readonly name = 'Unfit';

  constructor(errors: readonly Misfit[]) {
    super('what was sent does not fit');
    this.errors = errors;
  }
}

export const unfitAnswer = ({ errors }: Unfit): Answer =>
  problem(new PipelineError('invalid'), { reason: 'invalid', errors });

/** Throws `Unfit`, and what reading a body throws. */
export async function bodyOf(call: Call, fields: Fields, { limits }: Content): Promise<Body> {
  const type = call.request.headers.get('content-type');
  if (type !== null && !jsonType.test(type))
    throw new PipelineError('unsupported_media_type', 'the body has to be JSON: Content-Type: application/json');
  const text = await readText(call.request, limits, call.arrival);
  const body = parseJson(text);
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Unfit([{ path: '', message: 'expected an object' }]);
  const errors = [
    ...misfitsOf(fields, body as Body, misfitsMax),
    ...unknownIn(body, fields),
    ...repeatedNames(text).map(name => ({ path: `/${pointerOf(name)}`, message: 'is given twice' })),
  ];
  if (errors.length === 0) errors.push(...textErrors(body as Body));
  if (errors.length > 0) throw new Unfit(errors.slice(0, misfitsMax));
  return body as Body;
}

/** The same of a request that may have none. */
export const maybeBodyOf = (call: Call, fields: Fields, content: Content): Promise<Body> | Body =>
  call.arrival.isOver() ? {} : bodyOf(call, fields, content);

const jsonType = /^\s*application\/([\w.-]+\+)?json\s*(;|$)/i;

function unknownIn(body: object, fields: Fields): Misfit[] {
  const names = fields.map(({ name }) => name);
  return Object.keys(body)
    .filter(name => !names.includes(name))
    .slice(0, misfitsMax)
    .map(name => ({ path: `/${pointerOf(name)}`, message: `is not known here${hintOf(name, names)}` }));
}

function textErrors(body: Body): Misfit[] {
  return Object.entries(body).flatMap(([name, value]) => {
    if (typeof value !== 'string') return [];
    const message = name === 'film_id' ? filmIdProblem(value) : textProblem(value, name === 'text');
    return message === null ? [] : [{ path: `/${name}`, message }];
  });
}

/** White space, and what nobody sees: controls, joiners, marks of direction, fillers. For a class of characters. */
const blank =
  '\\u0000-\\u0020\\u007f-\\u00a0\\u00ad\\u034f\\u061c\\u115f\\u1160\\u1680\\u17b4\\u17b5\\u180b-\\u180f\\u2000-\\u200f' +
  '\\u2028-\\u202f\\u205f-\\u206f\\u2800\\u3000\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\\ufffe\\uffff';
const invisible = new RegExp(`^[${blank}\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e0fff}]*$`, 'u');
/** The same for clients, without what stands beyond the basic plane, which they spell in many ways. */
export const visiblePattern = `^[^\\u0000]*[^${blank}][^\\u0000]*$`;

function textProblem(text: string, isForPeople: boolean): string | null {
  if (!text.isWellFormed()) return 'holds half of a surrogate pair, which is not valid Unicode';
  if (text.includes('\u0000')) return 'holds the character U+0000';
  return isForPeople && invisible.test(text) ? 'holds nothing that can be seen' : null;
}
