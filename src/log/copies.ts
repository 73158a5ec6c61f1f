// Events that lie on the disk because the broker's answer was late, and what has become of that answer since. The drain
// asks before it sends: what the broker has acked meanwhile is taken back, what has no answer yet is waited for. All of
// it may be forgotten, in a crash or because there is too much of it: then an event is sent twice, and its id makes
// that harmless.
//
// An envelope is known by its body, not by its id: another one may have the same id, be received earlier, and lie on
// the disk alone. Two of the same bytes are the same to every reader, so either may stand for the other.

import type { Envelope } from '../ports/log.ts';

type Known = Pick<Envelope, 'id' | 'body'>;

export interface Copies {
  /** Before the copies are appended. */
  expect(envelopes: readonly Known[]): void;
  /** The broker's answer on one of them. */
  settle(envelope: Known, isAcked: boolean): void;
  /** True = the broker has it, once said. A promise while the answer is open. */
  isAcked(envelope: Known): boolean | Promise<boolean>;
  /** Nothing is known of any event: the usual case. */
  readonly isEmpty: boolean;
}

interface Copy {
  open: number;
  acked: boolean;
  readonly waiting: ((isAcked: boolean) => void)[];
}

/** Beyond it the oldest are forgotten. About 250 bytes each. */
const countMax = 200_000;

export function copiesOf(max: number = countMax): Copies {
  const copies = new Map<string, Copy>();

  function forget(key: string, copy: Copy): boolean {
    copies.delete(key);
    for (const tell of copy.waiting) tell(copy.acked);
    return copy.acked;
  }

  return {
    get isEmpty() {
      return copies.size === 0;
    },
    expect(envelopes) {
      for (const envelope of envelopes) {
        const key = keyOf(envelope);
        const copy = copies.get(key);
        if (copy !== undefined) copy.open++;
        else copies.set(key, { open: 1, acked: false, waiting: [] });
      }
      for (const [key, copy] of copies) {
        if (copies.size <= max) break;
        forget(key, copy);
      }
    },
    settle(envelope, isAcked) {
      const key = keyOf(envelope);
      const copy = copies.get(key);
      if (copy === undefined) return;
      copy.open--;
      copy.acked ||= isAcked;
      // Not acked and nothing open: the drain sends it, and has nothing to know. An ack is kept until the drain asks.
      if ((copy.open === 0 && !copy.acked) || copy.waiting.length > 0) {
        if (copy.open === 0 || copy.acked) forget(key, copy);
      }
    },
    isAcked(envelope) {
      const key = keyOf(envelope);
      const copy = copies.get(key);
      if (copy === undefined) return false;
      if (copy.acked || copy.open === 0) return forget(key, copy);
      return new Promise(resolve => {
        copy.waiting.push(resolve);
      });
    },
  };
}

const keyOf = ({ id, body }: Known): string => `${id}${Bun.hash(body).toString(36)}`;
