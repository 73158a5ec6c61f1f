// A route: method, path, what a caller needs to be let in, and what it does. Roles bring them, the server is handed them.
//
// Who may is asked before the body is read. What a caller needs is named here; who has it is for `Admit` to say.

import { PipelineError } from '../errors.ts';
import type { RequestTrace } from '../ports/tracing.ts';
import { type Answer, problem } from './answer.ts';
import type { Arrival } from './arrival.ts';

export const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
export type Method = (typeof methods)[number];

/** Who sends a request, as far as it was asked: by name, '' when it was not. */
export interface Caller {
  /** Becomes the event's `source`. */
  readonly name: string;
  /** The user its events are of, whatever they say; absent = they say it. */
  readonly userId?: string;
  /** What its token may; absent = it shows none. */
  readonly scopes?: ReadonlySet<string>;
  /** Names of types of events it may send; absent = all. */
  readonly eventTypes?: ReadonlySet<string>;
  /** It sends for others: neither its address nor its program is theirs. */
  readonly isServer?: true;
  /** What it is counted by; absent = it is not. */
  readonly id?: string;
  /** Events it may send a second; absent = as many as any other, 0 = without a limit. */
  readonly perSecond?: number;
  /** So many events count against its limits, beside the one its request has cost. */
  spend?(events: number): void;
}

export const anybody: Caller = { name: '' };

export interface Call {
  readonly request: Request;
  /** What stands in the path for `:name`. */
  readonly params: Readonly<Record<string, string | undefined>>;
  /** Its body, as it comes. */
  readonly arrival: Arrival;
  /** The client's address. */
  readonly address: string;
  readonly caller: Caller;
  /** Of a request that is traced. */
  readonly trace?: RequestTrace | null;
  /** Of a route with `keyMayFollow`, when nobody was admitted: asks again, with a key found elsewhere; null = there is none. */
  readonly admitWith?: (found: FoundKey | null) => Admission | Promise<Admission>;
}

export interface FoundKey {
  readonly key: string;
  /** In the address of the request, which others may have seen. */
  readonly isInUrl: boolean;
}

export type Handler = (call: Call) => Answer | Promise<Answer>;

export interface Route {
  readonly method: Method;
  /** `/v1/events/:event_type` */
  readonly path: string;
  /** What a caller must be allowed to do, e.g. `events:write`; absent = everybody may. */
  readonly needs?: string;
  /** Who shows nothing is anybody, and let in; who shows something has to be right. */
  readonly isPublic?: true;
  /** Its key may stand where only the handler finds it: who shows none that counts is handed on with `admitWith`. */
  readonly keyMayFollow?: true;
  readonly handler: Handler;
  /** Another path of what is told of elsewhere: it is in no list of routes. */
  readonly isOtherPath?: true;
  /** A GET that changes something: like a POST it is not begun while nothing is taken. */
  readonly stores?: true;
  /** How its clients are told, whoever answers: the handler, the door that refuses, or an error. */
  readonly render?: (answer: Answer, request: Request) => Answer | Promise<Answer>;
}

/**
 * Who may: the caller, or the answer that refuses. Asked of routes that need something, before the body is read. `needs`
 * null: it is for everybody, and shows nothing; how much it asks for counts all the same.
 */
export type Admit = (call: Omit<Call, 'caller'>, needs: string | null) => Admission | Promise<Admission>;

export type Admission =
  | {
      readonly ok: true;
      readonly caller: Caller;
      /** For the answer, whatever it will be. */
      headers?(): Readonly<Record<string, string>> | null;
    }
  | { readonly ok: false; readonly answer: Answer };

/** A request that shows this key, and no other, where the door looks for one. */
export function withKey({ headers }: Request, { key, isInUrl }: FoundKey): Request {
  const shown = new Headers(headers);
  shown.delete('authorization');
  if (isInUrl) shown.delete('x-api-key');
  else shown.set('x-api-key', key);
  return new Request(isInUrl ? `http://ugc/?${new URLSearchParams({ key })}` : 'http://ugc/', { headers: shown });
}

/** It says who it is of, right or wrong. */
export const showsSomething = ({ headers }: Request): boolean =>
  headers.has('authorization') || headers.has('x-api-key');

export const everybody: Admission = { ok: true, caller: anybody };

export const admitEverybody: Admit = () => everybody;

/** It changes something: it is not begun while nothing is taken, nor for a page that may not send. */
export const isChanging = (method: string, stores?: Route['stores']): boolean =>
  stores === true || (method !== 'GET' && method !== 'HEAD');

/** OPTIONS is answered for every path, whether or not a role brings it. */
export const withOptions = (methods: readonly Method[]): readonly Method[] =>
  methods.includes('OPTIONS') ? methods : [...methods, 'OPTIONS'];

export const matches = (pattern: string, path: string): boolean =>
  new RegExp(`^${pattern.replace(/:[a-z_]+/g, '[^/]+')}/?$`).test(path);

/** By hand: with a strange Host header, or none, the URL of a request is not one that can be parsed. */
export const pathOf = (url: string): string => /^(?:[a-z]+:\/\/[^/]*)?(\/[^?#]*)/.exec(url)?.[1] ?? '/';

/** 404 with `hint`, a clause that says where to go instead, or 405 with the methods the path has. */
export function noRoute(request: Request, routes: readonly Route[], hint: string): Answer {
  const path = pathOf(request.url);
  const there = routes.filter(route => matches(route.path, path)).map(route => route.method);
  const said = path.slice(0, 100);
  if (there.length === 0) return problem(new PipelineError('not_found', `no route ${said}; ${hint}`));
  const allow = withOptions(there).join(', ');
  return problem(new PipelineError('method_not_allowed', `${said} takes ${allow}`), { headers: { allow } });
}
