// The player, by an element that plays as it is told to: what one real browser's clock leaves to chance is certain here.

import { afterEach, beforeEach, describe, expect, test } from 'bun:test';

type Fields = Readonly<Record<string, unknown>>;
type Watch = (
  video: EventTarget,
  film: { filmId: string; everySeconds?: number; everyShare?: number; watchedShare?: number },
) => (tracker: object) => () => void;

// By a name the compiler does not follow: it is a page's code, which sdk/tsconfig.json checks.
const path = '../../../sdk/src/automatic/player.ts';
const { watch } = (await import(path)) as { readonly watch: Watch };

const page = globalThis as { window?: EventTarget };
beforeEach(() => {
  page.window = new EventTarget();
});
afterEach(() => {
  delete page.window;
});

/** A film of a hundred seconds. `play` tells of each step, as a browser does four times a second. */
function cinema({ duration = 100, ...film }: { duration?: number; everySeconds?: number; everyShare?: number } = {}) {
  const told: [string, Fields][] = [];
  const leave = new Set<() => void>();
  const ranges: [number, number][] = [];
  const video = Object.assign(new EventTarget(), {
    currentTime: 0,
    duration,
    seeking: false,
    paused: true,
    videoWidth: 1_280,
    videoHeight: 720,
    played: {
      get length() {
        return ranges.length;
      },
      start: (at: number) => ranges[at]![0],
      end: (at: number) => ranges[at]![1],
    },
  });
  const say = (type: string): boolean => video.dispatchEvent(new Event(type));
  const end = watch(video, { filmId: 'f', everySeconds: 1_000, ...film })({
    track: (type: string, fields: Fields) => void told.push([type, fields]),
    onLeave: (listener: () => void) => {
      leave.add(listener);
      return () => leave.delete(listener);
    },
  });
  return {
    video,
    say,
    end,
    leave: () => leave.forEach(listener => void listener()),
    types: () => told.map(([type]) => type),
    of: (type: string) => told.filter(([one]) => one === type).map(([, fields]) => fields),
    play(to: number, step = 1) {
      const from = video.currentTime;
      if (video.paused) say('playing');
      video.paused = false;
      ranges.push([from, from]);
      for (let at = from + step; at <= to; at += step) {
        video.currentTime = at;
        ranges.at(-1)![1] = at;
        say('timeupdate');
      }
    },
    seek(to: number) {
      Object.assign(video, { seeking: true, currentTime: to });
      say('timeupdate');
      say('seeking');
      video.seeking = false;
      say('timeupdate');
      say('seeked');
    },
  };
}

describe('what was played', () => {
  test('is told once for each tenth, and film_watched once', () => {
    const film = cinema();
    film.play(100);
    film.seek(0);
    film.play(100);
    const tenths = film.of('film_progress').map(({ position }) => Math.floor(Number(position) / 10));
    expect(tenths).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(film.of('film_watched')).toEqual([{ video_id: 'f', duration: 100 }]);
    expect(film.types().indexOf('film_watched')).toBe(film.types().indexOf('film_progress') + 9);
  });

  test('is told by time as well, also where it is played again', () => {
    const film = cinema({ everySeconds: 30, everyShare: 2 });
    film.play(50);
    film.seek(20);
    film.play(60);
    expect(film.of('film_progress').map(({ position }) => position)).toEqual([30, 30, 60]);
  });

  test('is nothing that was sought over: no tenth, no time, nothing watched', () => {
    const film = cinema({ everySeconds: 30 });
    film.play(5);
    film.seek(95);
    film.play(100);
    film.seek(12);
    film.play(19);
    expect(film.of('film_progress').map(({ position }) => position)).toEqual([100]);
    expect(film.of('film_watched')).toEqual([]);
  });

  test('is nothing while nobody plays', () => {
    const film = cinema();
    film.seek(50);
    film.leave();
    film.end();
    expect(film.types()).toEqual([]);
  });
});

describe('opened and closed', () => {
  test('are pairs, however often the page is hidden, and where the film stood', () => {
    const film = cinema();
    film.play(4);
    film.leave(); // it plays on
    film.video.paused = true;
    film.leave();
    film.leave();
    film.play(8);
    film.end();
    film.end();
    film.say('timeupdate');
    expect(film.types()).toEqual(['film_opened', 'film_progress', 'film_closed', 'film_opened', 'film_closed']);
    expect(film.of('film_opened').map(({ position }) => position)).toEqual([0, 4]);
    expect(film.of('film_closed')).toEqual([
      { video_id: 'f', position: 4, duration: 100, share: 0.04 },
      { video_id: 'f', position: 8, duration: 100, share: 0.08 },
    ]);
  });

  test('an element that is emptied is closed where it stood, and the page that goes closes what plays', () => {
    const film = cinema();
    film.play(40);
    Object.assign(film.video, { currentTime: 0, duration: Number.NaN });
    film.say('emptied');
    film.video.duration = 100;
    film.play(3);
    page.window!.dispatchEvent(new Event('pagehide'));
    film.leave();
    expect(film.of('film_closed').map(({ position }) => position)).toEqual([40, 3]);
    expect(film.types().at(-1)).toBe('film_closed');
  });

  test('a live stream has no length, no share and no end', () => {
    const film = cinema({ duration: Number.POSITIVE_INFINITY });
    film.play(500);
    film.end();
    expect(film.of('film_closed')).toEqual([{ video_id: 'f', position: 500, duration: 0, share: 0 }]);
    expect(film.of('film_watched')).toEqual([]);
  });
});

test('a change of quality is one of a picture there was, by its shorter side', () => {
  const film = cinema();
  const sizes: [number, number][] = [
    [1_280, 720],
    [0, 0],
    [1_080, 1_920],
    [1_920, 1_080],
    [640, 360],
  ];
  film.video.currentTime = 12.9;
  for (const [videoWidth, videoHeight] of sizes) {
    Object.assign(film.video, { videoWidth, videoHeight });
    film.say('resize');
  }
  expect(film.of('quality_change')).toEqual([
    { video_id: 'f', from_quality: '720p', to_quality: '1080p', current_time: 12 },
    { video_id: 'f', from_quality: '1080p', to_quality: '360p', current_time: 12 },
  ]);
});
