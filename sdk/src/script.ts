// /sdk.js: what `<script src="https://events.example.com/sdk.js" data-key="ugc_pk_…">` runs. `window.ugc` is the SDK, and with
// `data-key` or `data-url` on the script tag, which begin it at once, a tracker too.

import * as sdk from './browser.ts';

const tag = document.currentScript as HTMLScriptElement | null;
const { key, url, store, consent, remember, country, device } = tag?.dataset ?? {};
const begun =
  key === undefined && url === undefined
    ? {}
    : sdk.init({
        url: url || new URL(tag!.src).origin,
        ...(key && { key }),
        ...(store === 'memory' && { store }),
        remember: remember !== undefined,
        consent: consent !== 'false',
        common: { ...(country && { country }), ...(device && { device }) },
      });
Object.assign(window, { ugc: Object.assign(begun, sdk) });
