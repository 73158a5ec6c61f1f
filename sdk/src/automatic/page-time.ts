// page_time by itself: how long a page could be seen, and how long somebody did something with it. Time is summed in slices of
// a clock that never goes back, each cut to what can have passed between two looks, so a machine that slept and a page that was
// frozen count nothing. A slice belongs to the page and the state at its beginning: every change ends one.
//
// It is told when the page is left or hidden, for what has passed since it was last told: rows of a page are summed.

import type { Automatic } from '../tracker.ts';
import { begun } from './begun.ts';
import { address, onMove } from './moves.ts';

export interface PageTimeOptions {
  /** So long after the last key, pointer or wheel a page still counts as used. */
  readonly idleMs?: number;
  /** Another # is another page, as for page views. */
  readonly hash?: boolean;
}

const lookMs = 1_000;
/** Between two looks; more has not been seen by anybody. It leaves room for a page that is busy. */
const sliceMsMax = 5_000;
/** Less is not told: it is what lies between two of the browser's signs that a page is going. */
const toldMsMin = 50;

export function pageTime({ idleMs = 15_000, hash = false }: PageTimeOptions = {}): Automatic {
  return tracker => {
    const parts = begun();
    let [page, last, usedAt] = ['', 0, 0];
    let isVisible = false;
    let isFocused = false;
    let [visibleMs, engagedMs, bottom, height] = [0, 0, 0, 1];
    let timer: ReturnType<typeof setInterval>;

    const slice = (): void => {
      const now = tracker.now();
      const passed = isVisible ? Math.min(now - last, sliceMsMax) : 0;
      visibleMs += passed;
      if (isFocused) engagedMs += Math.max(0, Math.min(passed, usedAt + idleMs - last));
      last = now;
      isVisible = !document.hidden;
      isFocused = document.hasFocus();
    };
    const use = (): void => {
      slice();
      usedAt = last;
    };
    const measure = (): void => {
      bottom = Math.max(bottom, scrollY + innerHeight);
      height = document.documentElement.scrollHeight;
    };
    const look = (): void => {
      slice();
      measure();
    };
    const tell = (): void => {
      if (visibleMs < toldMsMin) return;
      // Left before the first look. Only then: some draw the next page before they move, and this would be that one.
      if (!bottom) measure();
      tracker.track('page_time', {
        page_url: page,
        engaged_ms: Math.round(engagedMs),
        visible_ms: Math.round(visibleMs),
        scroll_share: Math.min(1, bottom / height || 0),
      });
      visibleMs = engagedMs = 0;
    };
    const begin = (): void => {
      use();
      page = address(hash);
      visibleMs = engagedMs = bottom = 0;
      // The next look is a whole one away: right after a move the document is still that of the page that was left.
      clearInterval(timer);
      timer = setInterval(look, lookMs);
    };

    begin();
    parts.listen('pointerdown pointermove keydown wheel focus blur visibilitychange', use);
    parts.listen('scroll', measure);
    onMove(parts, hash, () => {
      slice();
      tell();
      begin();
    });
    parts.also(
      tracker.onLeave(() => {
        look();
        tell();
      }),
    );
    parts.also(() => clearInterval(timer));
    return parts.end;
  };
}
