// page_view by itself: the page that is opened, each one an app moves to without loading, and the return from the
// back/forward cache. A page the browser has prepared unseen counts once somebody sees it.

import type { Automatic } from '../tracker.ts';
import { begun } from './begun.ts';
import { address, onMove } from './moves.ts';

export interface PageViewOptions {
  /** Another # is another page: for apps that have their routes there. */
  readonly hash?: boolean;
}

export function pageViews({ hash = false }: PageViewOptions = {}): Automatic {
  return tracker => {
    const parts = begun();
    const view = (from: string): void => void tracker.page({ page_url: address(hash), referrer_url: from || null });
    const begin = (): void => {
      view(document.referrer);
      onMove(parts, hash, view);
    };
    if ((document as { readonly prerendering?: boolean }).prerendering) parts.listen('prerenderingchange', begin);
    else begin();
    return parts.end;
  };
}
