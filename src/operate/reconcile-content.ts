// `ugc reconcile --content`: likes, bookmarks and reviews of the content store held against the exact tables, one by one:
// the last event of each, by its revision, has to say what the store says.
//
// The tables are read before the store, so what the store has more may be on its way: it is looked for in the outbox and in
// the disk buffer, and what is found in neither is looked at again for a while, because a broker may have it. What then
// still differs is named. Memory holds a part of the tables at a time, by a hash both sides know (CRC-32).

import { contentIn, type LastWord, type StateKind } from '../adapters/clickhouse/ask/content.ts';
import type { Config } from '../config/config.ts';
import { PipelineError } from '../errors.ts';
import type { ContentStore, StateRow } from '../ports/content.ts';
import { contentSource } from '../ports/own-source.ts';
import type { Buffers } from './buffer.ts';
import { progressOf, table } from './output.ts';
import { type Tables, withTables } from './tables.ts';

const kinds: readonly StateKind[] = ['likes', 'bookmarks', 'reviews'];

const typesOf: Readonly<Record<StateKind, readonly string[]>> = {
  likes: ['film_liked', 'film_unliked'],
  bookmarks: ['bookmark_added', 'bookmark_removed'],
  reviews: ['review_posted', 'review_edited', 'review_moderated', 'review_deleted'],
};

interface Said {
  readonly value: number;
  readonly revision: number;
}

/**
 * missing: in the store, and no row tells of it. behind: the rows tell of an earlier change. ahead: of a later one, or of
 * one that the store has not. other: of the same change, something else.
 */
type Word = 'missing' | 'behind' | 'ahead' | 'other';

interface Difference {
  readonly kind: StateKind;
  readonly word: Word;
  readonly user_id: string | null;
  readonly film_id: string;
  readonly review_id: string | null;
  readonly database: Said | null;
  readonly tables: Said | null;
}

interface KindLine {
  readonly kind: StateKind;
  /** In the store. */
  readonly database: number;
  readonly waiting: number;
  readonly missing: number;
  readonly behind: number;
  readonly ahead: number;
  readonly other: number;
}

export interface ContentBalance {
  readonly closes: boolean;
  readonly kinds: readonly KindLine[];
  /** Events of the store that are not in the log yet. */
  readonly outbox: number;
  /** Some of them. */
  readonly differences: readonly Difference[];
}

export interface ContentBooks {
  readonly config: Config;
  readonly store: ContentStore;
  readonly buffers: Pick<Buffers, 'read'>;
  /** What differs may be on its way for so long. */
  readonly waitMs: number;
}

/** States of one part. */
const partMax = 500_000;
const namedMax = 100;
const lookAgainMs = 500;
/** Events of the outbox that are looked through. */
const outboxMax = 100_000;
const leadMsMax = 500;

export const contentBalanceOf = (books: ContentBooks): Promise<ContentBalance> =>
  withTables(books.config, ({ client }) => contentBalanceIn(client, books));

/** Over tables that are open already. */
export async function contentBalanceIn(client: Tables['client'], books: ContentBooks): Promise<ContentBalance> {
  const { config, store, waitMs } = books;
  const tables = contentIn(client, config.clickhouseDatabase);
  const progress = progressOf('compared', 'parts');
  const lines: KindLine[] = [];
  const named: Difference[] = [];
  for (const kind of kinds) {
    const of = Math.max(1, Math.ceil((await tables.states(kind, contentSource)) / partMax));
    const found: Difference[] = [];
    let [database, waiting] = [0, 0];
    for (let part = 0; part < of; part++) {
      const deadline = performance.now() + waitMs;
      const look = async () => {
        const words = await tables.statesOf(kind, { part, of }, contentSource);
        return compared(kind, words, store, key => crc32(key) % of === part);
      };
      let seen = await look();
      let left = unexplained(seen.differences, await onTheWay(kind, seen.differences, books));
      while (left.length > 0 && performance.now() < deadline) {
        await Bun.sleep(lookAgainMs);
        seen = await look();
        left = unexplained(seen.differences, await onTheWay(kind, seen.differences, books));
      }
      database += seen.states;
      waiting += seen.differences.length - left.length;
      found.push(...left);
      progress.at(part + 1, of);
    }
    lines.push({ kind, database, waiting, ...wordsIn(found) });
    named.push(...found.slice(0, namedMax - named.length));
  }
  progress.end();
  const { events: outbox } = await store.outbox();
  return { closes: lines.every(isClosed), kinds: lines, outbox, differences: named };
}

const isClosed = ({ missing, behind, ahead, other }: KindLine): boolean => missing + behind + ahead + other === 0;

function wordsIn(differences: readonly Difference[]) {
  const counted = { missing: 0, behind: 0, ahead: 0, other: 0 };
  for (const { word } of differences) counted[word]++;
  return counted;
}

const crc32 = (text: string): number => Bun.hash.crc32(text);

const keyOf = (kind: StateKind, { userId, filmId, id }: Pick<StateRow, 'userId' | 'filmId' | 'id'>): string =>
  kind === 'reviews' ? id : JSON.stringify([userId, filmId]);

async function compared(
  kind: StateKind,
  words: readonly LastWord[],
  store: ContentStore,
  isInPart: (key: string) => boolean,
): Promise<{ readonly states: number; readonly differences: readonly Difference[] }> {
  const told = new Map(words.map(word => [keyOf(kind, word), word]));
  const differences: Difference[] = [];
  let states = 0;
  for await (const rows of store.states(kind))
    for (const row of rows) {
      // The rows of who was forgotten are gone, and the review was kept: nobody tells of it any more.
      if (row.userId === null) continue;
      if (!isInPart(kind === 'reviews' ? row.id : row.userId)) continue;
      states++;
      const key = keyOf(kind, row);
      const word = told.get(key) ?? null;
      told.delete(key);
      const difference = differenceOf(row, word);
      if (difference !== null) differences.push(differenceIn(kind, difference, row, row, word));
    }
  for (const word of told.values())
    if (word.value !== 0) differences.push(differenceIn(kind, 'ahead', word, null, word));
  return { states, differences };
}

function differenceOf(row: Said, word: Said | null): Word | null {
  if (word === null) return 'missing';
  if (word.revision !== row.revision) return word.revision < row.revision ? 'behind' : 'ahead';
  return word.value === row.value ? null : 'other';
}

const differenceIn = (
  kind: StateKind,
  word: Word,
  { userId, filmId, id }: Pick<StateRow, 'userId' | 'filmId' | 'id'>,
  row: Said | null,
  told: Said | null,
): Difference => ({
  kind,
  word,
  user_id: userId,
  film_id: filmId,
  review_id: id === '' ? null : id,
  database: row === null ? null : { value: row.value, revision: row.revision },
  tables: told === null ? null : { value: told.value, revision: told.revision },
});

/** By key the highest revision that is on its way. */
type OnTheWay = ReadonlyMap<string, number>;

const unexplained = (differences: readonly Difference[], onTheWay: OnTheWay): readonly Difference[] =>
  differences.filter(difference => {
    const revision = onTheWay.get(keyIn(difference));
    if (revision === undefined || difference.word === 'other') return true;
    // What is in the tables alone was taken back, if something later is on its way.
    return revision < (difference.database?.revision ?? (difference.tables?.revision ?? 0) + 1);
  });

const keyIn = ({ kind, user_id: userId, film_id: filmId, review_id: id }: Difference): string =>
  keyOf(kind, { userId, filmId, id: id ?? '' });

async function onTheWay(
  kind: StateKind,
  differences: readonly Difference[],
  { config, store, buffers }: ContentBooks,
): Promise<OnTheWay> {
  const found = new Map<string, number>();
  if (differences.length === 0) return found;
  const wanted = new Set(differences.map(keyIn));
  const note = (fields: Readonly<Record<string, unknown>>): void => {
    const { user_id: userId, film_id: filmId, review_id: id = '', revision } = fields;
    if (typeof revision !== 'number') return;
    const key = keyOf(kind, { userId: String(userId), filmId: String(filmId), id: String(id) });
    if (wanted.has(key)) found.set(key, Math.max(revision, found.get(key) ?? 0));
  };
  const types = typesOf[kind];
  for (const { type, userId, fields } of await inOutbox(store))
    if (types.includes(type)) note({ ...fields, user_id: userId });
  for (const event of inBuffer(types, config, buffers)) note(event);
  return found;
}

/** What waits there, where no running instance has it: one that has publishes it within moments, or cannot. */
async function inOutbox(store: ContentStore) {
  const { events } = await store.outbox();
  if (events === 0) return [];
  const outbox = await store.lead(AbortSignal.timeout(leadMsMax));
  if (outbox === null) return [];
  try {
    return await outbox.read(outboxMax);
  } finally {
    await outbox.close();
  }
}

function* inBuffer(
  types: readonly string[],
  config: Config,
  buffers: Pick<Buffers, 'read'>,
): Iterable<Readonly<Record<string, unknown>>> {
  let file: ReturnType<Buffers['read']>;
  try {
    file = buffers.read(config);
  } catch (error) {
    if (error instanceof PipelineError) return; // no buffer here
    throw error;
  }
  try {
    for (const type of types)
      for (const { body } of file.records({ type }, () => {})) {
        const event = JSON.parse(Buffer.from(body).toString());
        if (event.source === contentSource) yield event;
      }
  } finally {
    file.close();
  }
}

export function contentText({ closes, kinds: lines, outbox, differences }: ContentBalance): string {
  const head = ['', 'in the database', 'waiting', 'missing', 'behind', 'ahead', 'other'];
  const rows = lines.map(line => [
    ...[line.kind, line.database, line.waiting],
    ...[line.missing, line.behind, line.ahead, line.other],
  ]);
  const parts = [table(head, rows)];
  if (differences.length > 0)
    parts.push(
      `What differs, or is still in the broker:\n${table(
        ['kind', 'word', 'user', 'film', 'review', 'database', 'tables'],
        differences.map(({ kind, word, user_id: user, film_id: film, review_id: review, database, tables }) => [
          ...[kind, word, user ?? '', film, review ?? ''],
          ...[saidText(database), saidText(tables)],
        ]),
      )}`,
    );
  if (outbox > 0)
    parts.push(
      `${outbox} events wait in the outbox of the content store: of those that differ some may be among them.\n`,
    );
  return `${parts.join('\n')}\n${closes ? 'Database and tables agree.' : 'Database and tables do not agree.'}\n`;
}

const saidText = (said: Said | null): string => (said === null ? '–' : `${said.value} (revision ${said.revision})`);
