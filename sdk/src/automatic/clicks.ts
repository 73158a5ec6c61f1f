// Clicks and filters by attributes, with no script of the page's own:
//   data-ugc-element="trailer"                        a click on it is `click`, with that element
//   data-ugc-event="cart_add" data-ugc-item-id="a-7"  it is an event of that type, item_id one of its fields, as text
//   data-ugc-fields='{"price": 12.5}'                 fields that are no text, as JSON
//   data-ugc-filter="genre"                           what is chosen or typed in it is `search_filter_use`
// and a click on a link to another host is `click` of `outbound_link`. One listener serves whatever elements there will be.

import type { Automatic } from '../tracker.ts';
import { begun } from './begun.ts';
import { address } from './moves.ts';

type Attributes = Readonly<Record<string, string | undefined>>;
type Track = (type: string, fields: Readonly<Record<string, unknown>>) => string;

/** The nearest element that is one, also out of a shadow root. */
const nearest = <E extends HTMLElement>(event: Event, isOne: (element: E) => unknown): E | undefined =>
  event.composedPath().find((target): target is E => !!((target as E).dataset && isOne(target as E)));

/** data-ugc-item-id="7" as { item_id: '7' }. */
function attributesOf(dataset: DOMStringMap = {}): Attributes {
  const attributes: Record<string, string | undefined> = {};
  for (const name in dataset)
    if (/^ugc./.test(name))
      attributes[
        name
          .slice(3)
          .replace(/\B[A-Z]/g, '_$&')
          .toLowerCase()
      ] = dataset[name];
  return attributes;
}

function clicked(track: Track, event: MouseEvent): void {
  if (event.button > 1) return;
  const meant = nearest(event, ({ dataset }) => dataset.ugcEvent || dataset.ugcElement);
  const href = nearest<HTMLAnchorElement>(
    event,
    ({ protocol, host }) => /^http/.test(protocol) && host !== location.host,
  )?.href;
  if (!meant && !href) return;
  const { event: type = 'click', fields = '{}', filter: _, ...texts } = attributesOf(meant?.dataset);
  const own = type === 'click' && {
    element: meant?.id || 'outbound_link',
    page_url: address(),
    ...(href && { properties: { href } }),
  };
  track(type, { ...own, ...texts, ...JSON.parse(fields) });
}

function chosen(track: Track, event: Event): void {
  const filter = nearest(event, ({ dataset }) => 'ugcFilter' in dataset);
  const { type, checked, name, value } = event.composedPath()[0] as HTMLInputElement;
  if (!filter || !value || /^(password|file)/.test(type) || (/^(check|radio)/.test(type) && !checked)) return;
  track('search_filter_use', {
    filter_type: filter.dataset.ugcFilter || name,
    filter_value: value.slice(0, 1_024),
  });
}

export function clicks(): Automatic {
  return tracker => {
    const { listen, end } = begun();
    const track = tracker.track as Track;
    listen<MouseEvent>('click auxclick', event => clicked(track, event));
    listen('change', event => chosen(track, event));
    return end;
  };
}
