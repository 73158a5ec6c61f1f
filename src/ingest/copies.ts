// Events that lie on the disk because Kafka's answer was late, and what has become of that answer since. The drain asks
// before it sends: what Kafka has acked meanwhile is taken back, what has no answer yet is waited for. All of it may be
// forgotten, in a crash or because there is too much of it: then an event is sent twice, and its id makes that harmless.

import type { Envelope } from '../ports.ts';

type Named = Pick<Envelope, 'id' | 'type'>;

export interface Copies {
  /** Before the copies are appended. */
  expect(envelopes: readonly Named[]): void;
  /** Kafka's answer on one of them. */
  settle(envelope: Named, isAcked: boolean): void;
  /** True = Kafka has it, once said. A promise while the answer is open. */
  isAcked(envelope: Named): boolean | Promise<boolean>;
  /** Nothing is known of any event: the usual case. */
  readonly isEmpty: boolean;
}

interface Copy {
  open: number;
  acked: boolean;
  waiting: ((isAcked: boolean) => void) | null;
}

/** Beyond it the oldest are forgotten. About 200 bytes each. */
const countMax = 200_000;

export function copiesOf(max: number = countMax): Copies {
  const copies = new Map<string, Copy>();

  function forget(key: string, copy: Copy): boolean {
    copies.delete(key);
    copy.waiting?.(copy.acked);
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
        else copies.set(key, { open: 1, acked: false, waiting: null });
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
      if ((copy.open === 0 && !copy.acked) || copy.waiting !== null) {
        if (copy.open === 0 || copy.acked) forget(key, copy);
      }
    },
    isAcked(envelope) {
      const key = keyOf(envelope);
      const copy = copies.get(key);
      if (copy === undefined) return false;
      if (copy.acked || copy.open === 0) return forget(key, copy);
      return new Promise(resolve => {
        copy.waiting = resolve;
      });
    },
  };
}

const keyOf = ({ id, type }: Named): string => id + type;
