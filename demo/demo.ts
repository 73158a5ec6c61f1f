// `npm run demo`: a film site that uses the SDK, ugc beside it, and what to look at in other windows (docs/use/demo.md).

import { startDemo } from './start.ts';

const { DEMO_PORT = '8090', DEMO_UGC_PORT = '0', DEMO_HOST, DEMO_UGC_ROLE } = process.env;
const demo = await startDemo({
  sitePort: Number(DEMO_PORT),
  ugcPort: Number(DEMO_UGC_PORT),
  ...(DEMO_HOST && { host: DEMO_HOST }),
  ...(DEMO_UGC_ROLE && { role: DEMO_UGC_ROLE }),
});

console.log(`
  The film site   ${demo.siteUrl}
  ugc’s console   ${demo.ugcUrl}   the key it asks for: ${demo.adminKey}

  In a second window, what the site tells, as it passes:
    UGC_ADMIN_KEY=${demo.adminKey} dist/ugc tap --url=${demo.ugcUrl}
  and what has become of it:
    dist/ugc query "SELECT event_type, count() FROM events GROUP BY event_type ORDER BY 1" --data-dir=${demo.dataDir}

  Ctrl-C ends both and removes the data.
`);

const end = (): void => void demo.close().then(() => process.exit(0));
process.once('SIGINT', end);
process.once('SIGTERM', end);
process.exitCode = await demo.ended;
