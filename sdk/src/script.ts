// /sdk.js: what `<script src="https://events.example.com/sdk.js" data-key="ugc_pk_…">` runs. `window.ugc` is the SDK, and with
// `data-key` or `data-url` on the script tag, which begin it at once, a tracker too. `data-auto` says what tracks by itself;
// `data-store`, `data-remember` and `data-consent` are the options of those names, text for text.

import { clicks, init, type Options, pageTime, pageViews, vitals, watch } from './browser.ts';

const { dataset, src } = document.currentScript as HTMLScriptElement;
const { key, url = src.replace(/\/sdk.*/, ''), auto = 'pageViews pageTime clicks', country, device } = dataset;
const parts = { pageViews, pageTime, clicks, vitals };
const begun =
  key || dataset.url
    ? init({
        ...(dataset as Partial<Options>),
        url,
        common: { country, device },
        automatic: auto.split(' ').flatMap(name => parts[name as keyof typeof parts]?.() ?? []),
      })
    : {};
(window as unknown as { ugc: object }).ugc = Object.assign(begun, parts, { init, watch });
