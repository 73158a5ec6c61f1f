// The outbox in an array: what waits to be published, and the one who has it.

import type { Change, Outbox, OutboxEvent } from '../../ports/content.ts';

export interface MemoryOutbox {
  readonly waiting: readonly OutboxEvent[];
  tell(type: string, change: Change, fields: OutboxEvent['fields']): void;
  lead(signal: AbortSignal): Promise<Outbox | null>;
  /** Takes out what is of this user; says how many. */
  forget(userId: string): number;
  close(): void;
}

interface Leader {
  readonly outbox: Outbox;
  lose(reason: string): void;
}

export function memoryOutbox(): MemoryOutbox {
  let waiting: OutboxEvent[] = [];
  let sequence = 0;
  let leader: Leader | null = null;
  let freed = Promise.withResolvers<void>();

  function free(of: Leader | null, reason: string): void {
    if (of === null || leader !== of) return;
    leader = null;
    of.lose(reason);
    freed.resolve();
    freed = Promise.withResolvers();
  }

  function elected(): Leader {
    const lost = Promise.withResolvers<string>();
    const own: Leader = {
      lose: lost.resolve,
      outbox: {
        read: async countMax => waiting.slice(0, countMax),
        published: async events => {
          if (leader !== own) throw new Error('another has the outbox by now');
          const done = new Set(events.map(event => event.sequence));
          waiting = waiting.filter(event => !done.has(event.sequence));
        },
        lost: lost.promise,
        close: async () => free(own, 'closed'),
      },
    };
    return own;
  }

  return {
    get waiting() {
      return waiting;
    },
    tell: (type, { userId, atMs, eventId }, fields) => {
      waiting.push({ sequence: String(++sequence), eventId, type, userId, atMs, fields });
    },
    lead: async signal => {
      const aborted = new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }));
      while (!signal.aborted) {
        if (leader === null) {
          leader = elected();
          return leader.outbox;
        }
        await Promise.race([freed.promise, aborted]);
      }
      return null;
    },
    forget: userId => {
      const before = waiting.length;
      waiting = waiting.filter(event => event.userId !== userId);
      return before - waiting.length;
    },
    close: () => free(leader, 'the store is closed'),
  };
}
