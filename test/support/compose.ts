// compose.yaml as Docker Compose would understand it: variables filled in, profiles chosen. Compose itself is the judge
// of its own syntax (`docker compose config`); this reads only what the file uses.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ComposeService {
  readonly image?: string;
  readonly build?: string | { readonly context: string; readonly target: string };
  readonly command?: readonly string[];
  readonly init?: boolean;
  readonly profiles?: readonly string[];
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly environment: Readonly<Record<string, string | number>>;
  readonly entrypoint?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly ulimits?: { readonly nofile?: { readonly soft: number; readonly hard: number } };
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly required?: boolean }>> | readonly string[];
}

export interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, null>>;
}

const root = join(import.meta.dir, '../..');

/** `$${`, or `${NAME:-default}` with its parts. */
const variable = /\$\$|\$\{(\w+)(?::-([^}]*))?\}/g;

export const composeText = readFileSync(join(root, 'compose.yaml'), 'utf8');
export const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');

/** Each variable read, with its default. */
export const composeVariables = (): ReadonlyMap<string, string> =>
  new Map([...composeText.matchAll(variable)].flatMap(([, name, value]) => (name ? [[name, value ?? '']] : [])));

export function composeWith(env: Readonly<Record<string, string>> = {}): Compose {
  const fill = (text: string): string =>
    text.replace(variable, (all, name, standard) => (all === '$$' ? '$' : env[name] || (standard ?? '')));
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return fill(value);
    if (Array.isArray(value)) return value.map(walk);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, walk(each)]));
  };
  return walk(Bun.YAML.parse(composeText)) as Compose;
}

/** What the Dockerfile's ENV lines set. */
export const imageEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    [...dockerfile.matchAll(/^ENV (.*)$/gm)].flatMap(([, line]) => line!.split(' ').map(pair => pair.split('='))),
  );

/** The command of the Dockerfile's HEALTHCHECK. */
export const imageHealthcheck = (): string[] => JSON.parse(/^HEALTHCHECK .*? CMD (\[.*\])$/m.exec(dockerfile)![1]!);
