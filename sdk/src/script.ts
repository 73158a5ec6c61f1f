// /sdk.js: what `<script src="https://events.example.com/sdk.js" data-key="ugc_pk_…">` runs. `window.ugc` is the SDK, and with
// `data-key` or `data-url` on the script tag, which begin it at once, a tracker too. `data-auto` says what tracks by itself;
// `data-store`, `data-remember` and `data-consent` are the options of those names, text for text. What a page has called before
// is in the `q` of the `ugc` it made itself, and comes first: as functions of the tracker, which is what tracks by itself is too.

import { type Automatic, clicks, init, type Options, pageTime, pageViews, vitals, watch } from './browser.ts';

const { dataset, src } = document.currentScript as HTMLScriptElement;
const { key, url = src.replace(/\/sdk.*/, ''), auto = 'pageViews pageTime clicks', country, device } = dataset;
const page = window as unknown as { ugc?: { readonly q?: readonly Automatic[]; readonly init?: unknown } };
const parts = { pageViews, pageTime, clicks, vitals };
const begun =
  key || dataset.url
    ? init({
        ...(dataset as Partial<Options>),
        url,
        common: { country, device },
        automatic: [
          ...(page.ugc?.q ?? []),
          ...auto.split(' ').flatMap(name => parts[name as keyof typeof parts]?.() ?? []),
        ],
      })
    : {};
page.ugc = Object.assign(begun, parts, { init, watch });
