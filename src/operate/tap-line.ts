// An event of the stream as a line: JSON as it came, logfmt (key=value, https://brandur.org/logfmt), or text for people,
// cut to the terminal's width.

import { cut, plain } from './output.ts';

export const tapFormats = ['text', 'json', 'logfmt'] as const;
export type TapFormat = (typeof tapFormats)[number];

export interface LineOptions {
  readonly format: TapFormat;
  /** Whose it is; null = there is one. */
  readonly instance: string | null;
  /** Infinite where nobody looks. */
  readonly columns: number;
  readonly colours: boolean;
}

interface Told {
  readonly at?: string;
  readonly outcome?: string;
  readonly type?: string;
  readonly source?: string;
  readonly user?: string | null;
  readonly id?: string | null;
  readonly stored?: string;
  readonly reason?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  readonly shape?: unknown;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly body_start?: string;
  readonly body_length?: number;
}

/** With its line break. `data`: as GET /v1/stream tells an event. */
export function lineOf(data: string, options: LineOptions): string {
  const { format, instance } = options;
  if (format === 'json')
    return `${instance === null ? data : `{"instance":${JSON.stringify(instance)},${data.slice(1)}`}\n`;
  const told = JSON.parse(data) as Told;
  return format === 'logfmt' ? `${logfmt({ ...(instance !== null && { instance }), ...told })}\n` : text(told, options);
}

/** What stands in front of the line already, or is the edge's own. */
const known = new Set(['event_id', 'event_type', 'schema_version', 'received_at', 'source', 'ip', 'user_agent']);

function text(told: Told, { instance, columns, colours }: LineOptions): string {
  const { at = '', outcome = '', type = '', stored, reason, source, user, id } = told;
  const words = [
    ...(instance === null ? [] : [instance]),
    at.slice(11, 23),
    outcome.padEnd(8),
    [stored, reason].filter(Boolean).join(' ').padEnd(8),
    type.padEnd(16),
    ...(source ? [`key=${source}`] : []),
    ...(user ? [`user=${user}`] : []),
    ...(id ? [id] : []),
    detailOf(told),
  ];
  const line = cut(plain(words.join('  ').trimEnd()), columns);
  return `${colours ? coloured(line, outcome) : line}\n`;
}

function detailOf({ errors, shape, body, body_start: start }: Told): string {
  if (errors !== undefined)
    return [errors.map(({ path, message }) => `${path} ${message}`.trim()).join('; '), shape && JSON.stringify(shape)]
      .filter(Boolean)
      .join('  ');
  if (body === undefined) return start ?? '';
  return Object.entries(body)
    .filter(([name, value]) => !known.has(name) && value !== null)
    .map(([name, value]) => `${name}=${spelled(value)}`)
    .join(' ');
}

const colourOf: Readonly<Record<string, number>> = { accepted: 32, rejected: 31, failed: 31, dropped: 33 };

const coloured = (line: string, outcome: string): string =>
  line.replace(outcome, `\u001b[${colourOf[outcome] ?? 0}m${outcome}\u001b[39m`);

/** A body's members stand beside the others, as body.name. */
function logfmt({ body, errors, ...told }: Told & { readonly instance?: string }): string {
  const wrong =
    errors === undefined ? {} : { errors: errors.map(({ path, message }) => `${path} ${message}`).join('; ') };
  const ofBody = Object.entries(body ?? {}).map(([name, value]) => [`body.${name}`, value] as const);
  return [...Object.entries({ ...told, ...wrong }), ...ofBody]
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name.replaceAll(/[\s="]/g, '_')}=${spelled(value)}`)
    .map(plain)
    .join(' ');
}

/** In quotes where it has to be. */
function spelled(value: unknown): string {
  const said = typeof value === 'string' ? value : JSON.stringify(value);
  return said === '' || /[\s="\\\p{Cc}]/u.test(said) ? JSON.stringify(said) : said;
}
