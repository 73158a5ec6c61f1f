// How settings are read and refused. Every setting has one name in three spellings (UGC_BUFFER_BYTES_MAX,
// --buffer-bytes-max, a line of an --env-file); a flag beats the environment, the environment beats the file. All
// problems are collected and told at once; a secret's value is in none of them.

import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { hintOf } from '../../schemas/nearest.ts';
import { messageOf } from '../errors.ts';
import type { Settings, Values } from './kinds.ts';

/** bufferBytesMax → UGC_BUFFER_BYTES_MAX */
export const envName = (key: string): string => `UGC_${key.replace(/[A-Z]/g, c => `_${c}`).toUpperCase()}`;
/** bufferBytesMax → --buffer-bytes-max */
export const flagName = (key: string): string => `--${key.replace(/[A-Z]/g, c => `-${c.toLowerCase()}`)}`;

export interface Given {
  /** `--name=value` arguments, as typed. */
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Names of flags read elsewhere, for those who mistype one of them. */
  readonly alsoFlags?: readonly string[];
}

export type Parsed<S extends Settings> =
  | { readonly ok: true; readonly values: Values<S>; readonly given: ReadonlySet<keyof S> }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads every setting; `given` are those the operator set. Unknown UGC_* keys and flags are problems too. */
export function parseSettings<S extends Settings>(settings: S, { flags, env, alsoFlags = [] }: Given): Parsed<S> {
  const problems: string[] = [];
  const fromFlags = readFlags(settings, { flags, alsoFlags }, problems);
  const fromFile = readEnvFile(fromFlags.envFile ?? env.UGC_ENV_FILE, problems);
  const fromEnv = readEnv(settings, fromFile, 'in the env file', problems);
  for (const [key, raw] of readEnv(settings, env, 'in the environment', problems)) fromEnv.set(key, raw);
  for (const [key, raw] of fromFlags.values) fromEnv.set(key, raw);

  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(settings)) {
    try {
      values[key] = setting.parse(fromEnv.get(key) ?? setting.defaultText);
    } catch (error) {
      problems.push(`${envName(key)} (${flagName(key)}) ${messageOf(error)}`);
    }
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, values: Object.freeze(values) as Values<S>, given: new Set(fromEnv.keys()) };
}

function readFlags(
  settings: Settings,
  { flags, alsoFlags }: Required<Pick<Given, 'flags' | 'alsoFlags'>>,
  problems: string[],
) {
  const keyOf = new Map(Object.keys(settings).map(key => [flagName(key), key]));
  const values = new Map<string, string>();
  let envFile: string | undefined;
  for (const item of flags) {
    const cut = item.indexOf('=');
    const name = cut < 0 ? item : item.slice(0, cut);
    const value = cut < 0 ? undefined : item.slice(cut + 1);
    const key = keyOf.get(name);
    if (name !== '--env-file' && key === undefined) {
      problems.push(`${name} is not a flag${hintOf(name, [...alsoFlags, ...keyOf.keys(), '--env-file'])}`);
    } else if (value === undefined && !(key !== undefined && settings[key]!.takes === 'true | false')) {
      problems.push(`${name} needs a value: ${name}=…`);
    } else if (key === undefined) {
      envFile = value;
    } else {
      const before = settings[key]!.repeats ? values.get(key) : undefined;
      values.set(key, before === undefined ? (value ?? 'true') : `${before},${value}`);
    }
  }
  return { values, envFile };
}

function readEnvFile(path: string | undefined, problems: string[]): Record<string, string | undefined> {
  if (path === undefined) return {};
  try {
    return parseEnv(readFileSync(path, 'utf8'));
  } catch (error) {
    problems.push(`the env file ${path} cannot be read: ${messageOf(error)}`);
    return {};
  }
}

function readEnv(
  settings: Settings,
  env: Readonly<Record<string, string | undefined>>,
  where: string,
  problems: string[],
): Map<string, string> {
  const keyOf = new Map(Object.keys(settings).map(key => [envName(key), key]));
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || !name.startsWith('UGC_') || name === 'UGC_ENV_FILE' || name.startsWith('UGC_TEST_'))
      continue;
    const key = keyOf.get(name);
    const fileKey = name.endsWith('_FILE') ? keyOf.get(name.slice(0, -5)) : undefined;
    if (key !== undefined) {
      values.set(key, value);
    } else if (fileKey !== undefined && settings[fileKey]!.secret) {
      try {
        values.set(fileKey, readFileSync(value, 'utf8').trim());
      } catch (error) {
        problems.push(`${name} names a file that cannot be read: ${messageOf(error)}`);
      }
    } else if (fileKey !== undefined) {
      problems.push(
        `${name} ${where} is not a setting: only secrets can be in a file of their own, use ${envName(fileKey)}`,
      );
    } else {
      problems.push(`${name} ${where} is not a setting${hintOf(name, keyOf.keys())}`);
    }
  }
  return values;
}
