// Reads of counts, gathered: a few questions are under way at a time, and what is asked meanwhile goes together in the next
// one, each film once. Statements are not prepared by name (client.ts), so one costs mostly its planning, which many share.
// Nobody is told what was so before they asked: an answer is only for those who asked before its question was sent.

import type { FilmCounts } from '../../ports/content.ts';

/** The counts of each film, in their order; null = it has none. */
export type ReadCounts = (filmIds: readonly string[]) => Promise<readonly (FilmCounts | null)[]>;

/** Under way at once: one is on its way back while the server works on the other. */
const askingMax = 2;
const filmsMax = 200;

/** Rejects as `read` does, for all who are in it. */
export function gathered(read: ReadCounts): (filmId: string) => Promise<FilmCounts | null> {
  let waiting = new Map<string, PromiseWithResolvers<FilmCounts | null>>();
  let asking = 0;

  function ask(): void {
    if (asking === askingMax || waiting.size === 0) return;
    const asked = [...waiting].slice(0, filmsMax);
    waiting = new Map([...waiting].slice(filmsMax));
    asking++;
    void read(asked.map(([filmId]) => filmId))
      .then(
        answers => {
          for (const [at, [, { resolve }]] of asked.entries()) resolve(answers[at] ?? null);
        },
        error => {
          for (const [, { reject }] of asked) reject(error);
        },
      )
      .finally(() => {
        asking--;
        ask();
      });
  }

  return filmId => {
    const known = waiting.get(filmId);
    if (known !== undefined) return known.promise;
    const wanted = Promise.withResolvers<FilmCounts | null>();
    waiting.set(filmId, wanted);
    ask();
    return wanted.promise;
  };
}
