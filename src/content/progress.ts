// Where a user stopped viewing, what was seen, and what there is to go on with.

import { amount } from '../../schemas/field.ts';
import { PipelineError } from '../errors.ts';
import type { Answer } from '../http/answer.ts';
import type { Call } from '../http/route.ts';
import type { Place } from '../ports/content.ts';
import { nothing, told } from './answers.ts';
import { bodyOf, type Fields } from './body.ts';
import { type Content, changeBy, surely, userOf } from './content.ts';
import { filmIdOf, filmIdProblem, queryOf } from './ids.ts';
import { limitOf, pageOf, readCursor } from './page.ts';

/** A film of so many seconds is a mistake: most of a year. */
const secondsMax = 31_536_000;

export const placeFields: Fields = [
  {
    name: 'position',
    ...amount({
      about: 'Where viewing stopped; beyond the end is the end',
      unit: 'seconds from the start',
      max: secondsMax,
    }),
  },
  { name: 'duration', ...amount({ about: 'Length of the film', unit: 'seconds', min: 0.001, max: secondsMax }) },
];

export async function putPlace(content: Content, call: Call): Promise<Answer> {
  const filmId = filmIdOf(call);
  const body = await bodyOf(call, placeFields, content);
  const duration = Number(body.duration);
  // Of -0 it is 0.
  const position = Math.min(Number(body.position), duration) + 0;
  const change = changeBy(call, content);
  return told(200, spelled(await surely(() => content.store.savePlace({ filmId, position, duration }, change))));
}

export async function getPlace({ store }: Content, call: Call): Promise<Answer> {
  const place = await store.place(filmIdOf(call), userOf(call));
  if (place !== null) return told(200, spelled(place));
  throw new PipelineError('not_found', 'nothing is known of this user viewing this film');
}

export async function deletePlace(content: Content, call: Call): Promise<Answer> {
  const filmId = filmIdOf(call);
  const change = changeBy(call, content);
  await surely(() => content.store.removePlace(filmId, change));
  return nothing;
}

/** `isResumable`: only what there is to go on with. */
export async function getPlaces({ store }: Content, call: Call, isResumable: boolean): Promise<Answer> {
  const userId = userOf(call);
  const list = isResumable ? 'continue' : 'history';
  const query = queryOf(call, ['limit', 'cursor']);
  const limit = limitOf(query.limit);
  const last = readCursor(list, query.cursor, id => filmIdProblem(id) === null);
  const after = last === null ? null : { atMs: last.value, filmId: last.id };
  const found = await store.places({ userId, isResumable, after, countMax: limit + 1 });
  const { items, next } = pageOf(list, found, limit, ({ atMs, filmId }) => ({ value: atMs, id: filmId }));
  return told(200, { films: items.map(spelled), next });
}

const spelled = (place: Place) => ({
  film_id: place.filmId,
  position: place.position,
  duration: place.duration,
  furthest: place.furthest,
  is_watched: place.watchedAtMs !== null,
  watched_at: place.watchedAtMs === null ? null : new Date(place.watchedAtMs).toISOString(),
  first_at: new Date(place.firstAtMs).toISOString(),
  at: new Date(place.atMs).toISOString(),
});
