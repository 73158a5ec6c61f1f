// How the page felt, as one `custom` event named web_vitals when it is first left or hidden: lcp, inp and ttfb in milliseconds,
// cls without a unit; what was not measured is absent. By the definitions of web.dev/articles/vitals, but for inp, which is the
// slowest interaction however many there were.

import type { Automatic } from '../tracker.ts';
import { begun } from './begun.ts';
import { address } from './moves.ts';

interface Measured extends PerformanceEntry {
  readonly value: number;
  readonly hadRecentInput: boolean;
  readonly interactionId: number;
  readonly activationStart: number;
  readonly responseStart: number;
}

export function vitals(): Automatic {
  return tracker => {
    const { also, end } = begun();
    const [navigated] = performance.getEntriesByType('navigation') as Measured[];
    /** A page that was prepared unseen begins when somebody sees it. */
    const since = (ms: number): number => Math.max(0, ms - (navigated?.activationStart ?? 0));
    const page_url = address();
    const measured: Record<string, number> = { cls: 0, ...(navigated && { ttfb: since(navigated.responseStart) }) };
    /** The largest one of a name. */
    const raise = (name: string, value: number): void => {
      measured[name] = Math.max(measured[name] ?? 0, value);
    };

    const observe = (type: string, look: (entry: Measured) => void): void => {
      const observer = new PerformanceObserver(list => (list.getEntries() as Measured[]).forEach(look));
      // A type the browser does not know is passed over without a word; interactions of a frame or two are not told.
      observer.observe({ type, buffered: true, durationThreshold: 40 } as PerformanceObserverInit);
      also(() => observer.disconnect());
    };
    // Of a picture nobody was there to see, how long it took says nothing.
    if (!document.hidden) observe('largest-contentful-paint', ({ startTime }) => raise('lcp', since(startTime)));
    let [session, sessionAt, shiftAt] = [0, 0, 0];
    observe('layout-shift', ({ startTime, value, hadRecentInput }) => {
      if (hadRecentInput) return;
      if (startTime - shiftAt > 1_000 || startTime - sessionAt > 5_000) [session, sessionAt] = [0, startTime];
      shiftAt = startTime;
      session += value;
      raise('cls', session);
    });
    observe('event', ({ interactionId, duration }) => {
      if (interactionId) raise('inp', duration);
    });
    also(
      tracker.onLeave(() => {
        end();
        tracker.track('custom', { name: 'web_vitals', properties: { page_url, ...measured } });
      }),
    );
    return end;
  };
}
