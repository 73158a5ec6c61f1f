// `ugc dead dismiss`: letters that no operator will ever repair. They are marked, not deleted: nothing that counts them
// (reconcile, trace, receipts) counts differently, and who asks later finds when they were given up and why. No row is
// touched.

import { placeText } from '../dead/place.ts';
import { unchanged } from '../dead/unchanged.ts';
import type { LetterPlace, LetterSelection, Letters } from '../ports/letters.ts';
import type { Exit } from './arguments.ts';
import { countOf, plain, writeOut } from './output.ts';

export interface Dismissing {
  readonly places: readonly LetterPlace[];
  readonly topic: string | undefined;
  readonly reason: string | undefined;
  readonly beforeMs: number | null;
  readonly why: string;
  /** The other way round: what was dismissed is open again. */
  readonly undo: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** An operator who says nothing does not mean all letters there are. */
export const saysWhich = ({ places, topic, reason, beforeMs }: Dismissing): boolean =>
  places.length > 0 || topic !== undefined || reason !== undefined || beforeMs !== null;

/** Rejects with the sink's errors. */
export async function dismiss(letters: Letters, asked: Dismissing): Promise<Exit> {
  const { places, topic, reason, beforeMs, why, undo, dryRun, json } = asked;
  const now = Date.now();
  // One that dies from now on is not meant, and is not counted either.
  const filter: LetterSelection = { places, topic, reason, beforeMs: Math.min(beforeMs ?? now, now) };
  const rest = await unchanged(letters, filter, undo);
  const counts = await letters.count({ ...filter, state: undo ? 'dismissed' : 'open' });
  if (!dryRun) await (undo ? letters.reopen(filter) : letters.dismiss(filter, { atMs: now, why }));

  const sum = counts.reduce((total, { letters: n }) => total + n, 0);
  const reasons = Object.fromEntries(counts.map(({ reason: name, letters: n }) => [name, n]));
  const said = rest.map(({ place, is }) => ({ place: placeText(place), is }));
  if (json)
    writeOut(`${JSON.stringify({ dry_run: dryRun, [undo ? 'reopened' : 'dismissed']: sum, reasons, rest: said })}\n`);
  else {
    const kinds = counts.map(({ reason: name, letters: n }) => `${n} ${name}`).join(', ');
    const done = `${dryRun ? ' would be' : ''} ${undo ? 'open again' : 'dismissed'}`;
    const lines = said.map(({ place, is }) => `${plain(place)} is ${plain(is)}\n`).join('');
    writeOut(
      `${lines}${countOf(sum, 'dead letter')}${done}${kinds === '' ? '' : `: ${kinds}`}${dryRun ? '; nothing was changed' : ''}\n`,
    );
  }
  return rest.some(({ isThere }) => !isThere) ? 1 : 0;
}
