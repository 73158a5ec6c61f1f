// When the page that is open becomes another one without being loaded: the Navigation API tells it, or the history's own calls
// where a browser has none; and a page that comes back from the back/forward cache is a view of its own.

import type { Begun } from './begun.ts';

/** The types take no longer one. */
const lengthMax = 8_192;

/** Address of the page as events tell it. What follows # is left out unless asked for: it may hold somebody's token. */
export const address = (withHash?: boolean): string =>
  location.href.replace(withHash ? '' : /#.*/, '').slice(0, lengthMax);

/** Calls with the address that was left when it has changed, and with '' when the page has come back. */
export function onMove({ listen, also }: Begun, withHash: boolean, listener: (left: string) => void): void {
  let at = address(withHash);
  const look = ({ persisted }: Partial<PageTransitionEvent> = {}): void => {
    const left = at;
    at = address(withHash);
    if (persisted || at !== left) listener(persisted ? '' : left);
  };
  listen('pageshow', look);
  if (window.navigation) listen('currententrychange', look, navigation);
  else {
    listen('popstate', look);
    for (const name of ['pushState', 'replaceState'] as const) {
      const original = history[name];
      history[name] = (...given) => {
        original.apply(history, given);
        look();
      };
    }
    // Others may have laid theirs over ours since, so ours stay, and say nothing more.
    also(() => {
      listener = () => {};
    });
  }
}
