// The life of a film in any media element, also under hls.js, shaka or video.js: they all play through one. Only what was
// played counts: `since` grows by what lies between two of the element's own times, never over a seek, and how much of the film
// has been seen is what the element says of it (`played`), where a loop or a second look adds nothing.

import type { Automatic } from '../tracker.ts';
import { begun } from './begun.ts';

export interface Film {
  readonly filmId: string;
  /** film_progress after so many seconds of it have been played … */
  readonly everySeconds?: number;
  /** … and when so much more of it lies behind, once each. */
  readonly everyShare?: number;
  /** film_watched, once, when so much of it has been played. */
  readonly watchedShare?: number;
}

/** Of a picture by its shorter side, e.g. 720p; '' while there is none, and for sound alone. */
function qualityOf({ videoWidth, videoHeight }: HTMLMediaElement & Partial<HTMLVideoElement>): string {
  const side = Math.min(videoWidth ?? 0, videoHeight ?? 0);
  return side ? `${side}p` : '';
}

/** Seconds of the film that have been played at least once. */
function secondsSeen({ played }: HTMLMediaElement): number {
  let seconds = 0;
  for (let i = 0; i < played.length; i++) seconds += played.end(i) - played.start(i);
  return seconds;
}

/** Where in the film it is: seconds, and the share of it that lies before. */
interface Place {
  readonly video_id: string;
  readonly position: number;
  readonly duration: number;
  readonly share: number;
}

export function watch(video: HTMLMediaElement, film: Film): Automatic {
  const { filmId: video_id, everySeconds = 30, everyShare = 0.1, watchedShare = 0.9 } = film;
  return tracker => {
    const { listen, also, end } = begun();
    let isOpen = false;
    let isWatched = false;
    let since = 0;
    let quality = qualityOf(video);
    const told = new Set<number>();

    let place!: Place;
    /** A live stream has no length: 0, and no share of it. */
    const look = (): void => {
      const position = video.currentTime;
      const duration = Number.isFinite(video.duration) ? video.duration : 0;
      place = { video_id, position, duration, share: Math.min(1, position / video.duration || 0) };
    };
    look();
    const stepOf = ({ share }: Place): number => Math.floor(share / everyShare);
    const open = (): void => {
      look();
      const { share: _, ...opened } = place;
      if (!isOpen) tracker.track('film_opened', opened);
      isOpen = true;
    };
    const tell = (): void => {
      since = 0;
      tracker.track('film_progress', place);
    };
    const move = (): void => {
      const from = place;
      look();
      const played = place.position - from.position;
      // What is paused as its page goes has moved on, and is not gone on with.
      if (video.seeking || played <= 0 || (video.paused && !isOpen)) return;
      open();
      since += played;
      const step = stepOf(place);
      const isNew = step > stepOf(from) && !told.has(step);
      if (isNew) told.add(step);
      if (isNew || since >= everySeconds) tell();
      if (isWatched || secondsSeen(video) < watchedShare * video.duration) return;
      isWatched = true;
      tracker.track('film_watched', { video_id, duration: place.duration });
    };
    /** At the last place that is known: an element that was emptied says 0. */
    const close = (): void => {
      if (isOpen) tracker.track('film_closed', place);
      isOpen = false;
      since = 0;
    };

    listen('playing', open, video);
    listen('timeupdate ended', move, video);
    listen('seeking', look, video);
    listen('emptied', close, video);
    const resize = (): void => {
      const [from_quality, to_quality] = [quality, qualityOf(video) || quality];
      quality = to_quality;
      const current_time = Math.floor(video.currentTime);
      if (from_quality && from_quality !== to_quality)
        tracker.track('quality_change', { video_id, from_quality, to_quality, current_time });
    };
    listen('resize', resize, video);
    // A hidden page may play on; its film is closed when the page goes.
    listen('pagehide', close);
    also(
      tracker.onLeave(() => {
        if (video.paused) close();
        else if (since) tell();
      }),
    );
    also(close);
    return end;
  };
}
