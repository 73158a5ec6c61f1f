// Everything counted: rows of `events`, and how many ids they have.

import type { Ugc } from '../test/support/ugc.ts';

/** A share of the ids at a time: all of some ten millions are more than a guest's query may hold. */
const shares = 16;

export async function countIds(ugc: Ugc): Promise<{ readonly n: number; readonly ids: number }> {
  const sum = { n: 0, ids: 0 };
  for (let share = 0; share < shares; share++) {
    const [counted] = await ugc.query<{ n: string; ids: string }>(
      `SELECT count() AS n, uniqExact(event_id) AS ids FROM ugc.events WHERE cityHash64(event_id) % ${shares} = ${share}`,
    );
    sum.n += Number(counted!.n);
    sum.ids += Number(counted!.ids);
  }
  return sum;
}
