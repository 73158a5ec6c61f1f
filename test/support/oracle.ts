// What the exact tables say, held against what clients were told.

import { catalogue } from '../../schemas/catalogue.ts';
import type { Ledger } from './load.ts';
import { eventually, type Ugc } from './ugc.ts';

export interface Finding {
  readonly rows: number;
  readonly acked: number;
  /** Acked and not there: the promise is broken. */
  readonly lost: readonly string[];
  /** There more than once. */
  readonly doubled: readonly string[];
  /** There though rejected, or never sent, or under another type. */
  readonly foreign: readonly string[];
}

/** Waits until the buffer is empty, then compares every row with the ledger. */
export async function compare(ugc: Ugc, ledger: Ledger): Promise<Finding> {
  await drained(ugc);
  return compareRows(ugc.query, ledger);
}

/** Every row there is, held against the ledger. */
export async function compareRows(query: Ugc['query'], ledger: Ledger): Promise<Finding> {
  const seen = new Map<string, string>();
  const doubled: string[] = [];
  const foreign: string[] = [];
  for (const { name } of catalogue.types)
    for (const { id } of await query<{ id: string }>(`SELECT toString(event_id) AS id FROM ugc.${name}`)) {
      if (seen.has(id)) doubled.push(id);
      seen.set(id, name);
      const type = ledger.acked.get(id);
      if (ledger.rejected.has(id) || !ledger.sent.has(id) || (type !== undefined && type !== name)) foreign.push(id);
    }
  const lost = [...ledger.acked.keys()].filter(id => !seen.has(id));
  return { rows: seen.size, acked: ledger.acked.size, lost, doubled, foreign };
}

/** Resolves when everything acked is in ClickHouse. */
export const drained = (ugc: Ugc): Promise<unknown> =>
  eventually(async () => (await metric(ugc.url, 'ugc_buffer_events')) === 0, {
    msMax: 300_000,
    what: 'an empty buffer',
  });

/** One sample of /metrics without labels, or the sum over labels. */
export async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const samples = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
  return samples.reduce((sum, sample) => sum + Number(sample[1]), 0);
}
