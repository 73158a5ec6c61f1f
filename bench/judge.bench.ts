// Judging and stamping alone, in this process: what an event costs at the edge once its JSON is read, by type, by how
// many types there are, and for events that are refused. The least of several runs, as the machine is shared.

import { type Catalogue, catalogue, catalogueOf } from '../schemas/catalogue.ts';
import { judgeOf } from '../src/catalogue/judge.ts';
import type { Origin } from '../src/catalogue/origin.ts';
import { parseJson } from '../src/record/json.ts';
import type { Row } from './report.ts';

const rounds = 15;
const events = 4_000;

export function judgeBench(): Row[] {
  const films = catalogue.types.filter(({ family }) => family === 'film').slice(0, 6);
  const film = JSON.stringify({
    ...catalogue.find('click')!.example,
    element: 'button_submit_the_review_of_a_film',
    page_url: 'https://example.com/films/8bcb67fe-bde6-4645-af85-6664a9298b8c/reviews?page=3',
    anonymous_id: '01927a3e-5c1b-7d2f-9e4a-3b6c8d0f1a2e',
  });
  const few = measured('a film event', catalogueOf(films), film);
  const accepted = measured('a film event', catalogue, film);
  const by = catalogue.types.map(type => measured(type.name, catalogue, JSON.stringify(type.example)));
  const ordered = by.toSorted((a, b) => a.us - b.us);
  const wrong = (what: string, changes: object | ((at: number) => object)) => {
    const changesOf = typeof changes === 'function' ? changes : () => changes;
    const text = (at: number) => JSON.stringify({ ...JSON.parse(film), ...changesOf(at) });
    const { us, judged } = measured(what, catalogue, text);
    if (judged.ok) throw new Error(`${what} is taken`);
    return row(`refused: ${what}`, us, `${(us / accepted.us).toFixed(2)} × an accepted one`);
  };
  return [
    row(`a film event of ${film.length} B, ${films.length} types`, few.us),
    row(`the same, ${catalogue.types.length} types`, accepted.us),
    row('its JSON, parsed', parsing(film)),
    row('of all types the cheapest', ordered[0]!.us, ordered[0]!.what),
    row('of all types the dearest', ordered.at(-1)!.us, ordered.at(-1)!.what),
    wrong('one wrong field', { element: 5 }),
    wrong('four wrong fields', { element: 5, country: null, device: [], page_url: {} }),
    wrong('an unknown field, near to one', { page_ulr: 'x' }),
    wrong('ten unknown fields', unknown(10, 'page_ulr')),
    wrong('ten unknown fields, never the same', at => unknown(10, `page_ulr_${at}`)),
    wrong('twenty unknown fields', unknown(20, 'page_ulr')),
    wrong('an unknown type', { event_type: 'clikc' }),
    wrong('no timestamp', { timestamp: 'yesterday' }),
    wrong('too old', { timestamp: 0 }),
  ];
}

const unknown = (count: number, name: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`${name}_${n}`, n]));

const row = (what: string, us: number, note = ''): Row => ({ what, 'core-µs/event': us, note });

/** `text`: of each event, or by its number. */
function measured(what: string, types: Catalogue, text: string | ((at: number) => string)) {
  const judge = judgeOf({
    catalogue: types,
    topic: 'ugc.{event_type}',
    eventBytesMax: 65_536,
    jsonDepthMax: 16,
    eventAgeMaxDays: 1_825,
    eventFutureMaxHours: 24,
    unknownFields: 'reject',
  });
  const given = Array.from({ length: events }, (_, at) => parseJson(typeof text === 'string' ? text : text(at)));
  const originOf = (): Origin => ({
    receivedAtMs: Date.now(),
    source: 'web',
    ip: '203.0.113.7',
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
    pathType: null,
    sentAt: undefined,
  });
  let judged = judge(given[0], originOf());
  const us = least(() => {
    // A request of a hundred events at a time.
    for (let from = 0; from < events; from += 100) {
      const origin = originOf();
      for (let at = from; at < from + 100; at++) judged = judge(given[at], origin);
    }
  });
  return { what, us, judged };
}

const parsing = (text: string): number =>
  least(() => {
    for (let at = 0; at < events; at++) parseJson(text);
  });

/** Core-µs an event of the cheapest run, garbage collection included. */
function least(run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / events);
  }
  return best;
}
