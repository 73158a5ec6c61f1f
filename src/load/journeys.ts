// What people do, one step after the other: a visitor looks at pages, searches, registers perhaps, opens a film and watches it to
// some share, likes it, reviews it; a customer of the shop searches, fills a cart and orders. Films and people are Zipf's.
// The same seed gives the same steps. A step is the text of its fields: it is written into a body as it is, so that a
// generator costs less than what it loads.

import { type Random, seeded, zipf } from './random.ts';

/** One event, without what every sending gives anew: its id and its times. */
export interface Step {
  readonly type: string;
  /** JSON: text in quotes, a number of the shop, or null. */
  readonly user: string;
  /** JSON: text in quotes, or null. */
  readonly visitor: string;
  readonly country: string;
  readonly device: string;
  /** The other fields as JSON without the braces, without a comma in front; may be empty. */
  readonly own: string;
}

export interface People {
  /** The next step of one of those who are about just now. */
  next(): Step;
}

export interface PeopleOptions {
  readonly seed: number;
  /** Of whom there are so many. */
  readonly users: number;
  readonly films: number;
}

/** Who is about at the same time; the steps of as many journeys are mixed. */
const aboutMax = 2_000;
/** Flatter than 1 for people: even the busiest of half a million is one in some thousand. */
const exponents = { users: 0.7, films: 1 };
/** One journey in so many is one of the shop. */
const shopEvery = 7;

export function people({ seed, users, films }: PeopleOptions): People {
  const random = seeded(seed);
  const world: World = { random, users: zipf(users, exponents.users), films: zipf(films, exponents.films), seed };
  const about = Array.from({ length: Math.min(users, aboutMax) }, () => journey(world));
  return {
    next() {
      for (;;) {
        const at = Math.floor(random.next() * about.length);
        const step = about[at]!.next();
        if (step.done !== true) return step.value;
        about[at] = journey(world);
      }
    },
  };
}

interface World {
  readonly random: Random;
  readonly users: (random: Random) => number;
  readonly films: (random: Random) => number;
  readonly seed: number;
}

type Journey = Generator<Step, void>;

const journey = (world: World): Journey => (world.random.between(1, shopEvery) === 1 ? shop(world) : visit(world));

const countries = ['US', 'DE', 'FR', 'GB', 'BR', 'IN', 'KZ', 'RS'];
const devices = ['mobile', 'desktop', 'tv', 'tablet'];
const qualities = ['240p', '360p', '480p', '720p', '1080p'];
const words = ['star', 'night', 'the last', 'love', 'зима', 'a long way', 'été', 'two brothers', 'море', 'zero'];
const site = 'https://films.example';

/** A UUID that is always the same of this number of this kind: version 8 (RFC 9562 §5.8), as it is made our way. */
function uuidOf(kind: number, number: number, seed: number): string {
  const random = seeded(seed ^ Math.imul(number + 1, 0x9e3779b1) ^ kind);
  const hex = (digits: number) =>
    Math.floor(random.next() * 16 ** digits)
      .toString(16)
      .padStart(digits, '0');
  return `${hex(8)}-${hex(4)}-8${hex(3)}-a${hex(3)}-${hex(6)}${hex(6)}`;
}

const kinds = { user: 1, film: 2, visitor: 3, review: 4 };

function* visit(world: World): Journey {
  const { random, seed } = world;
  const number = world.users(random);
  const id = `"${uuidOf(kinds.user, number, seed)}"`;
  // The same people have the same place and thing in hand.
  const [country, device] = [countries[number % countries.length]!, devices[number % devices.length]!];
  let user = random.next() < 0.6 ? id : 'null';
  const visitor = `"v-${uuidOf(kinds.visitor, number, seed).slice(0, 13)}"`;
  const step = (type: string, own: string): Step => ({ type, user, visitor, country, device, own });
  const page = (path: string, from: string) =>
    step('page_view', `"page_url":"${site}${path}","referrer_url":${from === '' ? 'null' : `"${site}${from}"`}`);

  yield page('/', '');
  for (let searches = random.between(0, 2); searches > 0; searches--)
    yield step(
      'search_filter_use',
      `"filter_type":"${random.pick(['title', 'genre', 'year'])}","filter_value":"${random.pick(words)} ${random.pick(words)}"`,
    );
  if (user === 'null' && random.next() < 0.3) {
    yield step('click', `"element":"register","page_url":"${site}/"`);
    user = id;
    yield step('user_identified', `"traits":{"plan":"${random.pick(['free', 'family', 'single'])}"}`);
  }
  for (let films = random.between(0, 2); films > 0; films--) {
    const film = uuidOf(kinds.film, world.films(random), seed);
    yield step('click', `"element":"film_card","page_url":"${site}/"`);
    yield page(`/film/${film}`, '/');
    yield* watch(film, step, world);
    if (user !== 'null') yield* say(film, step, world);
  }
  const engaged = random.between(500, 60_000);
  yield step(
    'page_time',
    `"page_url":"${site}/","engaged_ms":${engaged},"visible_ms":${engaged * 2},"scroll_share":${random.between(0, 4) / 4}`,
  );
}

type StepOf = (type: string, own: string) => Step;

/** To some share, told at every tenth. */
function* watch(film: string, step: StepOf, { random }: World): Journey {
  const duration = 1_200 + 60 * random.between(0, 120);
  const of = `"video_id":"${film}","duration":${duration}`;
  const tenths = random.between(0, 10);
  yield step('film_opened', `${of},"position":0`);
  for (let tenth = 1; tenth <= tenths; tenth++) {
    yield step('film_progress', `${of},"position":${(duration * tenth) / 10},"share":${tenth / 10}`);
    if (random.next() < 0.05)
      yield step(
        'quality_change',
        `"video_id":"${film}","from_quality":"${random.pick(qualities)}","to_quality":"${random.pick(qualities)}","current_time":${(duration * tenth) / 10}`,
      );
  }
  if (tenths === 10) yield step('film_watched', of);
  else yield step('film_closed', `${of},"position":${(duration * tenths) / 10},"share":${tenths / 10}`);
}

function* say(film: string, step: StepOf, { random, seed }: World): Journey {
  if (random.next() < 0.2) yield step('film_liked', `"film_id":"${film}","value":${random.next() < 0.8 ? 1 : -1}`);
  if (random.next() < 0.1) yield step('bookmark_added', `"film_id":"${film}"`);
  if (random.next() < 0.05) {
    const review = uuidOf(kinds.review, random.between(0, 2 ** 31), seed);
    const text = Array.from({ length: random.between(3, 60) }, () => random.pick(words)).join(' ');
    yield step(
      'review_posted',
      `"review_id":"${review}","film_id":"${film}","rating":${random.between(1, 10)},"text":"${text}"`,
    );
  }
}

function* shop(world: World): Journey {
  const { random } = world;
  const number = world.users(random);
  const [country, device] = [countries[number % countries.length]!, devices[number % devices.length]!];
  const user = String(number + 1);
  const step = (type: string, own: string): Step => ({ type, user, visitor: 'null', country, device, own });
  const item = (): number => 1 + world.films(random);
  if (random.next() < 0.05) yield step('registering', '');
  yield step('logging_in', `"login_type":${random.between(0, 2)}`);
  yield step('page_visit', `"page_id":${item()}`);
  yield step('category_view', `"category_id":${random.between(1, 40)},"parent_category_id":null`);
  for (let looks = random.between(0, 3); looks > 0; looks--) {
    yield step('searching', `"query":"${random.pick(words)}"`);
    yield step('page_visit', `"page_id":${item()}`);
    if (random.next() < 0.4) yield step('cart_add', `"item_id":${item()}`);
  }
  if (random.next() < 0.4) yield step('ordering', `"order_id":"${random.between(1, 2 ** 31)}${random.between(0, 9)}"`);
}
