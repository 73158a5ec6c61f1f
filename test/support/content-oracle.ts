// What the exact tables say of likes, bookmarks and reviews, held against what their users were told: the last event of
// each says what is true, and of its revisions each is there exactly once, from the first on.

import type { ContentTruth } from './content-load.ts';
import type { Ugc } from './ugc.ts';

/** In words, each difference there is. */
export async function contentDifferences(query: Ugc['query'], truth: ContentTruth): Promise<string[]> {
  const differences: string[] = [];
  for (const [what, set, unset, valueSql, all] of [
    ['like', 'film_liked', 'film_unliked', 'value', truth.likes],
    ['bookmark', 'bookmark_added', 'bookmark_removed', '1', truth.bookmarks],
  ] as const) {
    const told = await historyOf(query, {
      from: [
        [set, `toInt32(${valueSql})`],
        [unset, '0'],
      ],
      of: "concat(user_id, ' ', film_id)",
    });
    const wanted = new Map(
      [...all].flatMap(([user, films]) => [...films].map(([film, value]) => [`${user} ${film}`, value] as const)),
    );
    for (const [of, value] of wanted) {
      const found = told.get(of);
      if (found === undefined ? value !== 0 : found.last !== value)
        differences.push(`${what} of ${of} is ${value}, the tables say ${found?.last ?? 'nothing'}`);
    }
    differences.push(...gapsIn(what, told), ...strangersIn(what, told, wanted));
  }
  const told = await historyOf(query, {
    from: [
      ['review_posted', 'toInt32(rating)'],
      ['review_edited', 'toInt32(rating)'],
      ['review_deleted', '0'],
    ],
    of: 'toString(review_id)',
  });
  const wanted = new Map([...truth.reviews].map(([id, { rating, isDeleted }]) => [id, isDeleted ? 0 : rating]));
  for (const [id, value] of wanted)
    if (told.get(id)?.last !== value)
      differences.push(`review ${id} has the rating ${value}, the tables say ${told.get(id)?.last ?? 'nothing'}`);
  return [...differences, ...gapsIn('review', told), ...strangersIn('review', told, wanted)];
}

interface History {
  readonly of: string;
  readonly last: number;
  readonly events: number;
  readonly revisions: number;
  readonly highest: number;
}

interface Asked {
  /** Types and what each says, in SQL. */
  readonly from: readonly (readonly [type: string, valueSql: string])[];
  readonly of: string;
}

async function historyOf(query: Ugc['query'], { from, of }: Asked): Promise<ReadonlyMap<string, History>> {
  const events = from
    .map(
      ([type, valueSql]) =>
        `SELECT ${of} AS of, ${valueSql} AS value, revision FROM ugc.${type} WHERE source = 'ugc:content'`,
    )
    .join(' UNION ALL ');
  const rows = await query<History>(
    `SELECT of, argMax(value, revision) AS last, toUInt32(count()) AS events, toUInt32(uniqExact(revision)) AS revisions,
       toUInt32(max(revision)) AS highest FROM (${events}) GROUP BY of`,
  );
  return new Map(rows.map(row => [row.of, row]));
}

const gapsIn = (what: string, told: ReadonlyMap<string, History>): string[] =>
  [...told.values()]
    .filter(({ events, revisions, highest }) => events !== highest || revisions !== highest)
    .map(
      ({ of, events, revisions, highest }) =>
        `${what} of ${of} has ${events} events of ${revisions} revisions, the highest is ${highest}`,
    );

/** What no user was told of. */
const strangersIn = (
  what: string,
  told: ReadonlyMap<string, History>,
  wanted: ReadonlyMap<string, unknown>,
): string[] => [...told.keys()].filter(of => !wanted.has(of)).map(of => `nobody was told of ${what} ${of}`);
