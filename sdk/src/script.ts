// /sdk.js: what `<script src="https://events.example.com/sdk.js" data-key="ugc_pk_…">` runs. `window.ugc` is the SDK, and with
// `data-key` or `data-url` on the script tag, which begin it at once, a tracker too. `data-auto` says what tracks by itself.

import { type Automatic, clicks, init, pageTime, pageViews, vitals, watch } from './browser.ts';

const tag = document.currentScript as HTMLScriptElement;
const { key, url, auto = 'page_view page_time click', store, consent, remember, country, device } = tag.dataset;
const parts: Readonly<Record<string, () => Automatic>> = {
  page_view: pageViews,
  page_time: pageTime,
  click: clicks,
  vitals,
};
const begun =
  key || url
    ? init({
        url: url || new URL(tag.src).origin,
        key,
        store: store as 'memory',
        remember: remember !== undefined,
        consent: consent !== 'false',
        common: { country, device },
        automatic: auto.split(' ').flatMap(name => parts[name]?.() ?? []),
      })
    : {};
Object.assign(window, { ugc: Object.assign(begun, { init, pageViews, pageTime, clicks, vitals, watch }) });
