// GET /v1/stream as a test reads it: messages as they come.

import { parseMessages } from '../../src/operate/watch.ts';
import { eventually } from './until.ts';

export interface Told {
  readonly event: string;
  readonly id: string;
  readonly data: Record<string, unknown>;
}

export interface StreamReader {
  readonly status: number;
  readonly headers: Headers;
  readonly messages: readonly Told[];
  /** Of what became an event's: `event` and `rejected`. */
  events(): readonly Told[];
  /** Resolves once the server has ended it. */
  readonly over: Promise<void>;
  stop(): void;
}

export async function readStream(
  url: string,
  query = '',
  headers: Readonly<Record<string, string>> = {},
): Promise<StreamReader> {
  const cut = new AbortController();
  const response = await fetch(`${url}/v1/stream${query}`, { headers, signal: cut.signal });
  const messages: Told[] = [];
  let isOpen = false;
  const follow = async (): Promise<void> => {
    for await (const { event, id, data } of parseMessages(response.body!)) {
      isOpen = true;
      if (data !== '') messages.push({ event, id, data: JSON.parse(data) });
    }
  };
  const over = response.ok ? follow().catch(() => {}) : response.body!.cancel();
  if (response.ok) await eventually(() => isOpen, { what: 'the stream begins' });
  return {
    status: response.status,
    headers: response.headers,
    messages,
    events: () => messages.filter(({ event }) => event === 'event' || event === 'rejected'),
    over,
    stop: () => cut.abort(),
  };
}
