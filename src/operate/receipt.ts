// What `ugc forget` can show for it: what was deleted, when and from where, what remains elsewhere and until when, and
// what could not be reached. It names the person by the hashes of their ids, so that it may be kept.

import type { Forgotten } from '../ports/content.ts';
import { count, countOf, plain, table } from './output.ts';

export interface Receipt {
  /** `sha256:…` of each id. */
  readonly person: readonly string[];
  readonly dry_run: boolean;
  readonly started_at: string;
  readonly finished_at: string;
  /** Nothing of it is left where rows are read; what remains is named. */
  readonly is_complete: boolean;
  /** Null: there is no content store, or it could not be reached. */
  readonly content: (Forgotten & { readonly keeps_reviews: boolean }) | null;
  /** `rows` as readers count them, `copies` physically. Only tables that held any. */
  readonly tables: readonly { readonly table: string; readonly rows: number; readonly copies: number }[];
  readonly dead_letters: number;
  readonly remains: readonly Remainder[];
  readonly unreached: readonly { readonly place: string; readonly why: string }[];
  /** Ids of devices and earlier ids that stood beside the person's and were not asked for. */
  readonly also_known_as: readonly string[];
}

export interface Remainder {
  readonly place: string;
  /** Records of the person's, or null where they are not counted. */
  readonly records: number | null;
  readonly what: string;
  /** When the last of it is gone by itself; null = never, or it is not known. */
  readonly until: string | null;
}

export function receiptText(receipt: Receipt): string {
  const { content, tables, dead_letters: letters, remains, unreached, also_known_as: others, dry_run: isDry } = receipt;
  const verb = isDry ? 'Would be deleted' : 'Deleted';
  const parts = [`${receipt.person.join(', ')}\n`];
  if (content !== null) {
    const { likes, reviews, reviewLikes, bookmarks, viewings, events, keeps_reviews: keeps } = content;
    parts.push(
      `${verb} from the content store: ${countOf(likes, 'like')}, ${countOf(reviews, 'review')}${keeps ? ' (kept, without their author)' : ''}, ` +
        `${countOf(reviewLikes, 'like')} of reviews, ${countOf(bookmarks, 'bookmark')}, ${countOf(viewings, 'place')} of viewing, ` +
        `${countOf(events, 'event')} that waited to be published\n`,
    );
  }
  parts.push(
    tables.length === 0
      ? 'The tables hold no row of it\n'
      : `${verb} from the tables:\n${table(
          ['table', 'rows', 'copies'],
          tables.map(({ table: name, rows, copies }) => [name, rows, copies]),
        )}`,
  );
  if (letters > 0) parts.push(`${verb}: ${countOf(letters, 'dead letter')}\n`);
  if (remains.length > 0)
    parts.push(
      `What remains:\n${remains
        .map(({ place, records, what, until }) => {
          const number = records === null ? '' : `${count(records)}: `;
          return `  ${plain(place)}: ${number}${plain(what)}${until === null ? '' : `, until ${until}`}\n`;
        })
        .join('')}`,
    );
  if (others.length > 0)
    parts.push(
      `Seen with other ids, which were not asked for (--anonymous-id, or another --user-id):\n${others
        .map(id => `  ${plain(id)}\n`)
        .join('')}`,
    );
  for (const { place, why } of unreached) parts.push(`Not reached: ${place}: ${plain(why)}\n`);
  const end = receipt.is_complete
    ? isDry
      ? 'Nothing was changed.'
      : 'Nothing is left where rows are read.'
    : isDry
      ? 'Nothing was changed; not everything could be looked at.'
      : 'Not everything is gone: repeat the command, which goes on with what is left.';
  return `${parts.join('\n')}\n${end}\n`;
}
