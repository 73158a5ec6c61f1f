// Rounds of chaos: one to three faults at a time begin one after the other, last a random time, and end together.

import { type Fault, type Make, missed, nameOf } from './faults.ts';
import type { Random } from './random.ts';

export interface RoundsOptions {
  readonly random: Random;
  /** How long a fault lasts, and the rest between two rounds, at most. */
  readonly lastsMsMax: number;
  readonly restMsMax: number;
  /** Kept up to date for whoever has to know what is going on. */
  readonly active?: Set<Fault>;
  readonly onEnd?: (fault: Fault) => void;
}

export interface Rounds {
  /** As many as there is time for; resolves with how many that were. */
  play(rounds: number, deal: Make, msMax?: number): Promise<number>;
  /** Alone, what luck has left out: each kind until it has happened, a few times at most. */
  playLeftOut(kinds: readonly Make[]): Promise<void>;
  /** How often each kind happened; those that missed are counted apart. */
  readonly dealt: ReadonlyMap<string, number>;
  readonly missed: ReadonlyMap<string, number>;
}

const triesMax = 5;

export function roundsOf(options: RoundsOptions): Rounds {
  const { random, lastsMsMax, restMsMax, active = new Set(), onEnd } = options;
  const dealt = new Map<string, number>();
  const misses = new Map<string, number>();

  async function play(faults: readonly Fault[]): Promise<void> {
    const doing = (what: string, fault: Fault) => (error: unknown) => {
      throw new Error(`of ${faults.map(nameOf).join(', ')}, "${nameOf(fault)}" does not ${what}`, { cause: error });
    };
    // What waits for something to happen comes first: under the others it may never.
    for (const fault of faults.toSorted((a, b) => Number(b.waits ?? false) - Number(a.waits ?? false))) {
      active.add(fault);
      const begun = await Promise.try(fault.begin).catch(doing('begin', fault));
      const counts = begun === missed ? misses : dealt;
      counts.set(fault.kind, (counts.get(fault.kind) ?? 0) + 1);
      await Bun.sleep(random.between(20, lastsMsMax)); // how long it lasts is the random part
    }
    await Promise.all(
      faults.map(async fault => {
        await Promise.try(fault.end).catch(doing('end', fault));
        active.delete(fault);
        onEnd?.(fault);
      }),
    );
    await Bun.sleep(random.between(0, restMsMax));
  }

  return {
    async play(rounds, deal, msMax = Number.POSITIVE_INFINITY) {
      const end = performance.now() + msMax;
      let round = 0;
      for (; round < rounds && performance.now() < end; round++)
        await play(Array.from({ length: random.pick([1, 1, 2, 3]) }, deal));
      return round;
    },
    async playLeftOut(kinds) {
      for (const make of kinds)
        for (let tries = 0; tries < triesMax; tries++) {
          const fault = make();
          if (dealt.has(fault.kind)) break;
          await play([fault]);
        }
    },
    dealt,
    missed: misses,
  };
}

export const tally = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([kind, times]) => `${times} × ${kind}`)
    .join(', ');
