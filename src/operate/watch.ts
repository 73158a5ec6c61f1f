// Reads GET /v1/stream of a running instance, for `ugc tap` and `ugc top`: for as long as it is wanted, again and again
// when the connection ends, and from where it was.

import type { Config } from '../config/config.ts';
import type { Setting } from '../config/kinds.ts';
import { messageOf, PipelineError } from '../errors.ts';
import { urlOf } from '../process/instance.ts';
import { sleep } from '../process/sleep.ts';
import { OutputError } from './output.ts';

export interface Message {
  /** event, rejected, dropped, stats */
  readonly event: string;
  /** JSON. */
  readonly data: string;
}

export interface WatchOptions {
  /** Of the instance: `http://host:port`. */
  readonly url: string;
  /** Of the request, see GET /v1/stream. */
  readonly query: URLSearchParams;
  /** Shown as a bearer; '' = none. */
  readonly key: string;
  readonly signal: AbortSignal;
  readonly onMessage: (message: Message) => void;
  /** It is connected, or no longer: why, in words. Told once for each change. */
  readonly onState: (away: string | null) => void;
  /** Pauses between tries; tests have shorter ones. */
  readonly pauseMsMax?: number;
}

const pauseMsMin = 250;
/** An instance that lives says something every ten seconds. */
const silentMsMax = 30_000;
/** A message is a few KiB; what never ends one is no stream of ours. */
const messageLengthMax = 4_194_304;

/** Resolves when told to stop. Rejects with a PipelineError for what will not be otherwise the next time: a key that does not count. */
export async function watchInstance(options: WatchOptions): Promise<void> {
  const { signal, onState, pauseMsMax = 10_000 } = options;
  let last = '';
  let pauseMs = pauseMsMin;
  let away: string | null | undefined;
  const say = (now: string | null): void => {
    if (now !== away) onState(now);
    away = now;
  };
  while (!signal.aborted) {
    const cut = new AbortController();
    try {
      for await (const { id, ...message } of messagesOf(options, last, AbortSignal.any([signal, cut.signal]))) {
        if (id !== '') last = id;
        pauseMs = pauseMsMin;
        say(null);
        if (message.data !== '') options.onMessage(message);
      }
      say('it has ended the connection');
    } catch (error) {
      if (error instanceof Refused) throw error.told;
      if (error instanceof OutputError) throw error;
      if (!signal.aborted) say(inShort(error));
    } finally {
      cut.abort(); // or the connection would stay
    }
    await sleep(pauseMs, signal);
    pauseMs = Math.min(pauseMsMax, pauseMs * 2);
  }
}

class Refused extends Error {
  override readonly name = 'Refused';
  readonly told: PipelineError;

  constructor(told: PipelineError) {
    super(told.message);
    this.told = told;
  }
}

async function* messagesOf({ url, query, key }: WatchOptions, last: string, signal: AbortSignal) {
  const silent = new AbortController();
  let timer = setTimeout(() => silent.abort(), silentMsMax);
  const heard = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => silent.abort(), silentMsMax);
  };
  try {
    const response = await fetch(`${url}/v1/stream?${query}`, {
      headers: {
        accept: 'text/event-stream',
        ...(key !== '' && { authorization: `Bearer ${key}` }),
        ...(last !== '' && { 'last-event-id': last }),
      },
      redirect: 'manual', // the key is for this instance and no other
      signal: AbortSignal.any([signal, silent.signal]),
    });
    if (!response.ok || response.body === null) throw await refusalOf(url, response);
    if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true)
      throw new Refused(new PipelineError('config_invalid', `${url} is no ugc: it answers with another type`));
    yield* parseMessages(response.body, heard);
  } finally {
    clearTimeout(timer);
  }
}

/** 5xx and 429 pass; anything else is the same the next time. */
async function refusalOf(url: string, response: Response): Promise<Error> {
  const { status } = response;
  const said = await response.text().catch(() => '');
  const words = `${url} answers ${status}: ${detailOf(said)}`;
  if (status >= 500 || status === 429) return new Error(words);
  const remedy = status === 401 || status === 403 ? ' (UGC_ADMIN_KEY)' : '';
  return new Refused(new PipelineError('config_invalid', words + remedy));
}

function detailOf(said: string): string {
  try {
    const { detail, title } = JSON.parse(said) as { readonly detail?: string; readonly title?: string };
    return detail ?? title ?? 'no reason';
  } catch {
    return said.slice(0, 200).replaceAll(/\s+/g, ' ');
  }
}

function inShort(error: unknown): string {
  if (error instanceof Error && error.name === 'AbortError') return `nothing was heard for ${silentMsMax / 1_000} s`;
  return messageOf(error);
}

interface Parsed extends Message {
  readonly id: string;
}

/** Blocks of server-sent events, as far as we write them (HTML Standard §9.2.6): LF alone, a data line each. */
export async function* parseMessages(
  body: ReadableStream<Uint8Array>,
  onBytes: () => void = () => {},
): AsyncGenerator<Parsed> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of body) {
    onBytes();
    rest += decoder.decode(bytes, { stream: true });
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    if (rest.length > messageLengthMax) throw new Error('it sends a message without an end');
    for (const block of blocks) yield parsed(block);
  }
}

function parsed(block: string): Parsed {
  const found = { id: '', event: 'message', data: '' };
  for (const line of block.split('\n')) {
    const [, name, value = ''] = /^(id|event|data): ?(.*)$/.exec(line) ?? [];
    if (name === 'id' || name === 'event') found[name] = value;
    else if (name === 'data') found.data += value;
  }
  return found;
}

/** Instances to watch, by their addresses; none = the one that these settings describe. */
export const urlsFlag: Setting<readonly string[]> = {
  help: 'An instance, http(s)://host:port; several with commas, or given again. Absent = the one of UGC_HOST and UGC_PORT',
  takes: 'http://host:port, several with commas',
  defaultText: '',
  secret: false,
  repeats: true,
  parse: text => (text === '' ? [] : [...new Set(text.split(',').map(item => readUrl(item.trim())))]),
};

function readUrl(text: string): string {
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `http://${text}`);
  if (url === null || url.hostname === '' || url.username !== '' || url.password !== '')
    throw new Error(`must be like http://host:port, without a password, not "${text.replace(/\/\/.*@/, '//…@')}"`);
  return `${url.origin}${url.pathname.replace(/\/(v1\/stream)?$/, '')}`;
}

export function urlsOf(given: readonly string[], config: Config): readonly string[] {
  if (given.length > 0) return given;
  const { host, port, adminPort, tlsCert, adminTls } = config;
  const isAdmin = adminPort > 0;
  const scheme = tlsCert !== '' && (!isAdmin || adminTls) ? 'https' : 'http';
  const isEverywhere = host === '0.0.0.0' || host === '::';
  return [urlOf(isEverywhere ? '127.0.0.1' : host, isAdmin ? adminPort : port, scheme)];
}

/** Aborts at Ctrl-C and SIGTERM: a command that watches ends then, and has done what it was asked. */
export function untilSignalled(): AbortController {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());
  return stop;
}
