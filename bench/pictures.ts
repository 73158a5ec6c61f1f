// `npm run pictures`: ten minutes of an operator's night on real parts, and what dashboards, `ugc top` and the report of `ugc load`
// make of it. In the folder named, or pictures/: --draw draws what was played before, after a change of the dashboards; --docs
// draws those of the documents too.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { draw } from './pictures/draw.ts';
import { play } from './pictures/play.ts';

const given = process.argv.slice(2);
const folder = resolve(given.find(argument => !argument.startsWith('--')) ?? 'pictures');
if (!given.includes('--draw') || !existsSync(join(folder, 'played.json'))) await play(folder);
console.log((await draw(folder, given.includes('--docs'))).join('\n'));
process.exit(0);
