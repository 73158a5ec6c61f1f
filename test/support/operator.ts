// An operator in the middle of the chaos: pauses the tables, or one event type of them, or has them drained, and lets them go on
// a while later. By dice of its own, so that a seed's faults stay what they were.

import type { FlowControl, FlowState } from '../../src/ports/flow-control.ts';
import { sleep } from '../../src/process/sleep.ts';
import type { Random } from './random.ts';
import { eventually } from './until.ts';

export interface Operator {
  /** Wishes that were kept, by state. */
  readonly wished: ReadonlyMap<FlowState, number>;
  /** Resolves once everything is let go on. */
  end(): Promise<void>;
}

const flows = ['tables', 'tables', 'tables:click', 'tables:quality_change'];
const states: readonly FlowState[] = ['paused', 'paused', 'draining'];

export function startOperator(control: FlowControl, random: Random): Operator {
  const ending = new AbortController();
  const wished = new Map<FlowState, number>();
  const held = new Set<string>();
  let moment = Date.now();

  async function wish(flow: string, state: FlowState): Promise<boolean> {
    moment = Math.max(moment + 1, Date.now());
    if (state !== 'running') held.add(flow); // whatever becomes of it: it may have been kept
    try {
      await control.wish({ flow, state, by: 'an operator', at: new Date(moment).toISOString(), why: 'chaos' });
    } catch {
      return false; // Kafka is away
    }
    if (state === 'running') held.delete(flow);
    wished.set(state, (wished.get(state) ?? 0) + 1);
    return true;
  }

  const working = (async () => {
    while (!ending.signal.aborted) {
      await sleep(random.between(500, 5_000), ending.signal); // for so long all is as it should be
      const flow = random.pick(flows);
      await wish(flow, random.pick(states));
      await sleep(random.between(200, 1_500), ending.signal); // for so long it is not
      await wish(flow, 'running');
    }
  })();

  return {
    wished,
    async end() {
      ending.abort();
      await working;
      for (const flow of [...held]) await eventually(() => wish(flow, 'running'), { what: `${flow} let go on` });
      await control.close();
    },
  };
}
