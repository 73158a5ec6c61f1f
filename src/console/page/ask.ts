// What the page asks of its server, with the key that was shown, and what went wrong told in words.
//
// The key lies in sessionStorage: it is gone with the tab, and no other origin can read it. A 401 or 403 opens the prompt.

import { useCallback, useEffect, useState } from 'preact/hooks';
import { store } from './store.ts';

/** Words for people; the server's own where it has some. */
export class AskError extends Error {
  readonly status: number;
  constructor(status: number, words: string) {
    super(words);
    this.status = status;
  }
}

const keyName = 'ugc-console-key';

export const key = store(readKey());
/** Why a key is asked for; null = none is. */
export const keyWanted = store<string | null>(null);

export function showKey(text: string): void {
  try {
    if (text === '') sessionStorage.removeItem(keyName);
    else sessionStorage.setItem(keyName, text);
  } catch {} // storage is refused: the key lasts as long as the page
  keyWanted.set(null);
  key.set(text);
}

function readKey(): string {
  try {
    return sessionStorage.getItem(keyName) ?? '';
  } catch {
    return '';
  }
}

export const withKey = (own = key.get()): Record<string, string> =>
  own === '' ? {} : { authorization: `Bearer ${own}` };

/** The answer's body as JSON; throws an AskError. */
export async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  const answer = await answerTo(path, init);
  return (await answer.json()) as T;
}

export const post = <T>(path: string, body: unknown): Promise<T> =>
  ask<T>(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });

/** Resolves with an answer that is good; throws an AskError. */
export async function answerTo(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...withKey(), ...(init.headers as Record<string, string> | undefined) };
  const answer = await fetch(path, { ...init, headers }).catch((error: unknown) => {
    if (init.signal?.aborted) throw error;
    throw new AskError(0, 'The server does not answer. It may be stopped, or the network is down.');
  });
  if (answer.ok) return answer;
  const words = await wordsOf(answer);
  if (answer.status === 401 || answer.status === 403) keyWanted.set(words);
  throw new AskError(answer.status, words);
}

/** Of an answer that is a problem (RFC 9457), with what it says of single fields. */
export async function wordsOf(answer: Response): Promise<string> {
  const text = await answer.text().catch(() => '');
  try {
    const { title, detail, errors } = JSON.parse(text) as Problem;
    const fields = (errors ?? []).map(({ path, message }) => `${path === '' ? 'the event' : path}: ${message}`);
    return [detail ?? title ?? `The server answered ${answer.status}`, ...fields].join('\n');
  } catch {
    return `The server answered ${answer.status}`;
  }
}

interface Problem {
  readonly title?: string;
  readonly detail?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

export interface Asked<T> {
  /** The last good answer, also while the next is awaited. */
  readonly value: T | null;
  readonly error: string | null;
  readonly isBusy: boolean;
  again(): void;
}

/** Asked when first shown, when the path or the key changes, and every `everyMs` while the page is looked at. */
export function useAsked<T>(path: string, everyMs = 0): Asked<T> {
  const [state, setState] = useState<Omit<Asked<T>, 'again'>>({ value: null, error: null, isBusy: true });
  const [turn, setTurn] = useState(0);
  const again = useCallback(() => setTurn(before => before + 1), []);
  useEffect(() => key.watch(again), [again]);
  useEffect(() => setState({ value: null, error: null, isBusy: true }), [path]);
  useEffect(() => {
    const ending = new AbortController();
    setState(before => ({ ...before, isBusy: true }));
    ask<T>(path, { signal: ending.signal }).then(
      value => setState({ value, error: null, isBusy: false }),
      (error: unknown) => {
        if (ending.signal.aborted) return;
        setState(before => ({ ...before, error: wordsFor(error), isBusy: false }));
      },
    );
    return () => ending.abort();
  }, [path, turn]);
  useEffect(() => {
    if (everyMs === 0) return;
    const timer = setInterval(() => !document.hidden && again(), everyMs);
    return () => clearInterval(timer);
  }, [everyMs, again]);
  return { ...state, again };
}

export const wordsFor = (error: unknown): string => (error instanceof Error ? error.message : String(error));
