// Settings: HTTPS at the front.

import { flag, integer, text } from './kinds.ts';

export const tlsSettings = {
  tlsCert: text({
    default: '',
    takes: 'a PEM file',
    help: 'Certificate of the front and those that vouch for it: HTTPS instead of HTTP. A change counts within two seconds',
  }),
  tlsKey: text({ default: '', takes: 'a PEM file', help: 'Key of that certificate, not encrypted' }),
  tlsClientCa: text({
    default: '',
    takes: 'a PEM file',
    help: 'Only clients with a certificate signed by one of these authorities may connect; empty = none is asked for',
  }),
  hstsSeconds: integer({
    default: 0,
    min: 0,
    max: 63_072_000,
    help: 'Browsers that were here come back by HTTPS alone for so long, to every port of the name; 0 = not said',
  }),
  httpRedirectPort: integer({
    default: -1,
    min: -1,
    max: 65535,
    help: 'A plain port beside HTTPS that sends readers there and refuses events; 0 = any free one, -1 = none',
  }),
  httpRedirectTo: text({
    default: '',
    takes: 'https://host[:port]',
    pattern: /^(https:\/\/[^\s/?#@]+)?$/,
    help: 'Where it sends them; empty = the name they asked, at UGC_PORT',
  }),
  adminTls: flag({
    default: false,
    help: 'UGC_ADMIN_PORT speaks HTTPS as well, and asks for the same client certificates',
  }),
};
