// All groups at once, each probe with a limit of its own: whoever does not answer is named, and keeps nothing else from
// being asked.

import { messageOf, PipelineError } from '../../errors.ts';
import { timed } from '../../process/sleep.ts';
import { type Check, type Group, type Probe, wrong } from './check.ts';

export interface Category {
  readonly name: string;
  readonly checks: readonly Check[];
}

/** So that everything is told within ten seconds, also when nothing answers. */
const probeMsMax = 8_000;

export const examine = (groups: readonly Group[], msMax = probeMsMax): Promise<readonly Category[]> =>
  Promise.all(
    groups.map(async ({ name, probes }) => ({
      name,
      checks: (await Promise.all(probes.map(probe => answerTo(probe, msMax)))).flat(),
    })),
  );

async function answerTo(probe: Probe, msMax: number): Promise<readonly Check[]> {
  const { id, follows = 'how that is cannot be told', hint, page } = probe;
  const where = { follows, hint, ...(page !== undefined && { page }) };
  const late = (): readonly Check[] => [wrong(id, { seen: `no answer within ${msMax / 1_000} s`, ...where })];
  const asked = new AbortController();
  try {
    const looking = (async () => probe.look(asked.signal))();
    return await timed(msMax, looking, late);
  } catch (error) {
    if (error instanceof PipelineError) return [wrong(id, { seen: messageOf(error).trim(), ...where })];
    return [wrong(id, { seen: `could not be looked at: ${messageOf(error)}`, ...where })];
  } finally {
    asked.abort();
  }
}
