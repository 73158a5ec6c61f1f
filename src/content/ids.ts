// What paths and queries name: films, reviews, and parameters. Films are another service's: any id of its own will do that
// can be stored and told.

import { hintOf } from '../../schemas/nearest.ts';
import { isUuid } from '../../schemas/uuid.ts';
import { PipelineError } from '../errors.ts';
import { type Call, pathOf } from '../http/route.ts';

export const filmIdLengthMax = 256;
/** For clients that check it first, in any dialect of regular expressions. */
export const filmIdPattern = '^[^\\u0000-\\u001f\\u007f-\\u009f]+$';
const controls = /\p{Cc}/u;

/** What keeps it from being a film's id, as a clause; null = nothing. */
export function filmIdProblem(id: string): string | null {
  if (id === '') return 'is empty';
  if (id.length > filmIdLengthMax) return `is longer than ${filmIdLengthMax} characters`;
  if (controls.test(id)) return 'holds a control character';
  return id.isWellFormed() ? null : 'holds half of a surrogate pair, which is not valid Unicode';
}

/** Of `/v1/films/:film_id…`; throws `bad_request`. */
export const filmIdOf = (call: Pick<Call, 'request'>): string => checkedFilm(segmentOf(call), 'the id of the film');

/** Of `?film_id=`; throws `bad_request`. */
export function checkedFilm(id: string, what = 'film_id'): string {
  const problem = filmIdProblem(id);
  if (problem === null) return id;
  throw new PipelineError('bad_request', `${what} ${problem}`);
}

/** Of `/v1/reviews/:review_id…`; throws `not_found` for what can be none. */
export const reviewIdOf = (call: Pick<Call, 'request'>): string => checkedReview(segmentOf(call));

export function checkedReview(id: string): string {
  if (!isUuid(id)) throw noReview();
  return id.toLowerCase();
}

export const noReview = (): PipelineError => new PipelineError('not_found', 'there is no review of this id');

/** The third part of the path, as it was meant. The framework leaves what it cannot decode as it is. */
function segmentOf({ request }: Pick<Call, 'request'>): string {
  const segment = pathOf(request.url).split('/')[3] ?? '';
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new PipelineError('bad_request', 'the path is not percent-encoded UTF-8');
  }
}

/** Parameters of the query, each at most once and all of them known; `key` is the door’s. Throws `bad_request`. */
export function queryOf<const N extends string>(
  { request: { url } }: Pick<Call, 'request'>,
  names: readonly N[],
): Partial<Readonly<Record<N, string>>> {
  const at = url.indexOf('?');
  if (at < 0) return {};
  const found: Partial<Record<string, string>> = {};
  for (const [name, value] of new URLSearchParams(url.slice(at + 1))) {
    if (name === 'key') continue;
    if (!names.some(known => known === name))
      throw new PipelineError('bad_request', `there is no parameter "${name.slice(0, 40)}"${hintOf(name, names)}`);
    if (found[name] !== undefined) throw new PipelineError('bad_request', `the parameter ${name} is given twice`);
    found[name] = value;
  }
  return found as Partial<Record<N, string>>;
}
