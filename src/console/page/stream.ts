// Reads `GET /v1/stream`, by fetch: EventSource can show no key. It comes again after a break, ever later up to half a
// minute, from where it was (Last-Event-ID).

import { AskError, answerTo, wordsFor } from './ask.ts';
import { type Message, messagesIn } from './messages.ts';

export interface Reading {
  readonly onMessage: (message: Message) => void;
  /** '' = it is being read; else why not, in words. */
  readonly onState: (problem: string) => void;
}

const firstWaitMs = 500;
const waitMsMax = 30_000;

/** Answers how to stop. `query` as the stream takes it. */
export function readStream(query: string, { onMessage, onState }: Reading): () => void {
  const ending = new AbortController();
  const { signal } = ending;
  let lastId = '';

  async function readOnce(): Promise<void> {
    const headers: Record<string, string> = lastId === '' ? {} : { 'last-event-id': lastId };
    const answer = await answerTo(`/v1/stream?${query}`, { headers, signal, cache: 'no-store' });
    if (answer.body === null) throw new AskError(answer.status, 'The stream came without a body');
    onState('');
    const parse = messagesIn(message => {
      if (message.id !== '') lastId = message.id;
      if (message.data !== '') onMessage(message);
    });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      parse(value);
    }
  }

  async function readOn(): Promise<void> {
    let waitMs = firstWaitMs;
    while (!signal.aborted) {
      const startedAtMs = performance.now();
      let problem = 'The stream ended';
      try {
        await readOnce();
      } catch (error) {
        problem = wordsFor(error);
        // Whoever shows another key begins anew.
        if (error instanceof AskError && (error.status === 401 || error.status === 403)) {
          onState(problem);
          return;
        }
      }
      if (signal.aborted) return;
      onState(problem);
      if (performance.now() - startedAtMs > waitMsMax) waitMs = firstWaitMs;
      await sleep(waitMs * (0.5 + Math.random() / 2), signal);
      waitMs = Math.min(waitMsMax, waitMs * 2);
    }
  }

  void readOn();
  return () => ending.abort();
}

const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
