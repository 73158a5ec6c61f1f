// What a reader of the stream wants, out of the query of its request, and whether an event is one of those.

import { PipelineError } from '../errors.ts';
import type { Outcome } from '../ports/log.ts';
import type { Glimpse, Judged } from '../ports/passing.ts';

export const outcomeNames = ['accepted', 'rejected', 'dropped', 'failed'] as const;
export type OutcomeName = (typeof outcomeNames)[number];

export const kindNames = ['events', 'stats'] as const;
export type KindName = (typeof kindNames)[number];

export interface Wish {
  readonly kinds: ReadonlySet<KindName>;
  /** Of those that fit, 0 to 1. */
  readonly sample: number;
  /** Events a second at most; what is beyond is counted and told. */
  readonly perSecond: number;
  /** Asked first: null = any. */
  readonly ofType: ((type: string) => boolean) | null;
  /** Of one whose type fits. */
  fits(passed: OneJudged): boolean;
  /** It wants every event, whatever it is. */
  readonly isAll: boolean;
}

/** An event, what became of it, and whence it came. */
export interface OneJudged {
  readonly judged: Judged;
  /** Of one that was good and not dropped. */
  readonly outcome: Outcome | undefined;
  readonly glimpse: Glimpse | null;
  readonly source: string;
}

const known = ['type', 'key', 'outcome', 'user', 'sample', 'rate', 'kinds'];
export const rateOf = { standard: 200, max: 10_000 } as const;
const valuesMax = 50;
const valueLengthMax = 200;
/** Verdicts on names of types are kept; there are as many as the catalogue has. */
const rememberedMax = 1_000;

/** Of what is of no type of the catalogue's. */
export const noType = '(unknown)';

/** Throws `bad_request` in words. `key` may be the door's own, so it is not refused where it is none of a name. */
export function readWish(query: URLSearchParams): Wish {
  const stranger = [...query.keys()].find(name => !known.includes(name));
  if (stranger !== undefined)
    throw wrong(`${stranger.slice(0, 50)} is none of ${known.join(', ')}: that is what the stream takes`);
  const lists = { type: valuesOf(query, 'type'), key: valuesOf(query, 'key'), user: valuesOf(query, 'user') };
  const outcomes = oneOf(query, 'outcome', outcomeNames);
  const kinds = oneOf(query, 'kinds', kindNames);
  const ofType = lists.type.length === 0 ? null : typesOf(lists.type);
  const isAll = ofType === null && lists.key.length + lists.user.length === 0 && outcomes.size === 0;
  return {
    kinds: kinds.size === 0 ? new Set(kindNames) : kinds,
    sample: numberOf(query, 'sample', { standard: 1, min: 0, max: 1 }),
    perSecond: numberOf(query, 'rate', { standard: rateOf.standard, min: 1, max: rateOf.max }),
    isAll,
    ofType,
    fits: passed =>
      isAll ||
      ((lists.key.length === 0 || lists.key.includes(passed.source)) &&
        (outcomes.size === 0 || outcomes.has(outcomeOf(passed))) &&
        (lists.user.length === 0 || lists.user.includes(userOf(passed) ?? ''))),
  };
}

export const typeOf = (judged: Judged): string => (judged.ok ? judged.envelope.type : (judged.type ?? noType));

export const userOf = ({ judged, glimpse }: OneJudged): string | null =>
  judged.envelope === undefined ? (glimpse?.user ?? null) : judged.envelope.key;

export function outcomeOf({ judged, outcome }: OneJudged): OutcomeName {
  if (judged.ok) return outcome?.ok ? 'accepted' : 'failed';
  return judged.envelope === undefined ? 'rejected' : 'dropped';
}

function typesOf(patterns: readonly string[]): (type: string) => boolean {
  const globs = patterns.map(pattern => new Bun.Glob(pattern));
  const remembered = new Map<string, boolean>();
  return type => {
    const before = remembered.get(type);
    if (before !== undefined) return before;
    const fits = globs.some(glob => glob.match(type));
    if (remembered.size < rememberedMax) remembered.set(type, fits);
    return fits;
  };
}

function valuesOf(query: URLSearchParams, name: string): readonly string[] {
  const values = query.getAll(name);
  if (values.length > valuesMax) throw wrong(`${name} may be given ${valuesMax} times`);
  if (values.some(value => value.length > valueLengthMax)) throw wrong(`${name} may have ${valueLengthMax} characters`);
  return values;
}

/** Several times, or with commas; none = all. */
function oneOf<const C extends string>(query: URLSearchParams, name: string, of: readonly C[]): ReadonlySet<C> {
  const said = valuesOf(query, name).flatMap(value => value.split(','));
  return new Set(
    said.map(word => {
      const found = of.find(item => item === word);
      if (found === undefined) throw wrong(`${name} is one of ${of.join(', ')}, not "${word}"`);
      return found;
    }),
  );
}

interface Bounds {
  readonly standard: number;
  readonly min: number;
  readonly max: number;
}

function numberOf(query: URLSearchParams, name: string, { standard, min, max }: Bounds): number {
  const said = query.get(name);
  if (said === null) return standard;
  const value = /^\d{1,9}(\.\d{1,9})?$/.test(said) ? Number(said) : Number.NaN;
  if (!(value >= min && value <= max))
    throw wrong(`${name} is a number from ${min} to ${max}, not "${said.slice(0, 50)}"`);
  return value;
}

const wrong = (words: string): PipelineError => new PipelineError('bad_request', words);
