// What is asked of a path or with a method that is none: 404 and where to go instead, or 405 and what the path takes.

import { PipelineError } from '../errors.ts';
import { type Answer, problem } from './answer.ts';

interface Known {
  readonly method: string;
  /** With `:name` for what may be anything. */
  readonly path: string;
}

/** `hint`: where events go, as a clause. */
export function notFound(request: Request, routes: readonly Known[], hint: string): Answer {
  const path = pathOf(request.url);
  const allowed = routes.filter(route => matches(route.path, path)).map(route => route.method);
  if (allowed.length === 0) return problem(new PipelineError('not_found', `no route ${path.slice(0, 100)}; ${hint}`));
  return problem(new PipelineError('method_not_allowed', `${path.slice(0, 100)} takes ${allowed.join(', ')}`), {
    headers: { allow: allowed.join(', ') },
  });
}

export const matches = (pattern: string, path: string): boolean =>
  new RegExp(`^${pattern.replace(/:[a-z_]+/g, '[^/]+')}/?$`).test(path);

/** By hand: with a strange Host header, or none, the URL of a request is not one that can be parsed. */
const pathOf = (url: string): string => /^(?:[a-z]+:\/\/[^/]*)?(\/[^?#]*)/.exec(url)?.[1] ?? '/';
