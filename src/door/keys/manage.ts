// Keys made, given up and replaced: what an operator's commands do to the file, one at a time.

import type { Scope } from '../../ports/scope.ts';
import { changing } from '../../process/file.ts';
import { hashOf, type KeyKind, newKey } from './key.ts';
import { readKeys, type StoredKey, writeKeys } from './keys-file.ts';

export interface WantedKey {
  readonly name: string;
  readonly kind: KeyKind;
  readonly scopes: readonly Scope[];
  readonly origins: readonly string[];
  readonly eventTypes: readonly string[];
  /** Events a second; null = as many as any other. */
  readonly rate: number | null;
  readonly expiresAtMs: number | null;
}

export interface MadeKey {
  /** Never to be had again. */
  readonly text: string;
  readonly stored: StoredKey;
}

/** Throws an Error in words when the file is wrong, cannot be written, or is being changed. */
export function addKey(path: string, wanted: WantedKey, nowMs: number): MadeKey {
  return change(path, keys => {
    const made = make(wanted, nowMs);
    return { keys: [...keys, made.stored], result: made };
  });
}

/** What was revoked now, or before. Throws when there is none of that id or name, or several of the name. */
export function revokeKey(path: string, which: string, nowMs: number): StoredKey {
  return change(path, keys => {
    const key = oneOf(keys, which);
    const revoked = key.revoked_at === undefined ? { ...key, revoked_at: timeOf(nowMs) } : key;
    return { keys: keys.map(other => (other === key ? revoked : other)), result: revoked };
  });
}

/** A new key that may what the old one may, which counts for `overlapMs` more. */
export function rotateKey(path: string, which: string, { nowMs, overlapMs }: { nowMs: number; overlapMs: number }) {
  return change(path, keys => {
    const key = oneOf(keys, which);
    if (key.revoked_at !== undefined) throw new Error(`${key.id} was revoked at ${key.revoked_at}: add a new one`);
    const { id: _, sha256: __, created_at: ___, expires_at: ____, ...same } = key;
    const text = newKey(key.kind);
    const stored: StoredKey = { ...same, ...identityOf(text), created_at: timeOf(nowMs) };
    const end = nowMs + overlapMs;
    const isSooner = key.expires_at !== undefined && Date.parse(key.expires_at) <= end;
    const old = isSooner ? key : { ...key, expires_at: timeOf(end) };
    return {
      keys: [...keys.map(other => (other === key ? old : other)), stored],
      result: { text, stored, old },
    };
  });
}

function make({ name, kind, scopes, origins, eventTypes, rate, expiresAtMs }: WantedKey, nowMs: number): MadeKey {
  const text = newKey(kind);
  const stored: StoredKey = {
    ...identityOf(text),
    name,
    kind,
    scopes: [...scopes],
    ...(origins.length > 0 && { origins: [...origins] }),
    ...(eventTypes.length > 0 && { event_types: [...eventTypes] }),
    ...(rate !== null && { rate }),
    created_at: timeOf(nowMs),
    ...(expiresAtMs !== null && { expires_at: timeOf(expiresAtMs) }),
  };
  return { text, stored };
}

/** The id is of the hash: it says nothing of the key, and needs no count that two files could share. */
function identityOf(text: string) {
  const sha256 = hashOf(text);
  return { id: sha256.slice(0, 8), sha256 };
}

const timeOf = (ms: number): string => new Date(ms).toISOString();

function oneOf(keys: readonly StoredKey[], which: string): StoredKey {
  const byId = keys.find(({ id }) => id === which);
  if (byId !== undefined) return byId;
  const named = keys.filter(({ name, revoked_at: revokedAt }) => name === which && revokedAt === undefined);
  if (named.length === 1) return named[0]!;
  if (named.length === 0) throw new Error(`there is no key ${which}; see ugc keys ls`);
  throw new Error(
    `${named.length} keys are called ${which}: say which by its id, ${named.map(({ id }) => id).join(' or ')}`,
  );
}

/** From what is there to what is to be there. */
const change = <T>(path: string, next: (keys: readonly StoredKey[]) => { keys: readonly StoredKey[]; result: T }): T =>
  changing(path, () => {
    const { keys, result } = next(readKeys(path));
    writeKeys(path, keys);
    return result;
  });
