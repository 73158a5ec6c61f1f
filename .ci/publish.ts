// Records what the catalogue now promises to writers and readers, in schemas/published.json. Refuses, in words, what
// would break them; a unit test refuses it too, and that published.json is not what the catalogue is.

import { join } from 'node:path';
import { catalogue } from '../schemas/catalogue.ts';
import { changesOf, type Published, publishedOf, refusalsOf } from '../schemas/published.ts';

const path = join(import.meta.dir, '../schemas/published.json');
const published = ((await Bun.file(path).exists()) ? await Bun.file(path).json() : {}) as Published;
const refusals = refusalsOf(published, catalogue.types);
for (const refusal of refusals) console.error(refusal);
if (refusals.length > 0) process.exit(1);
for (const { type, what } of changesOf(published, catalogue.types)) console.log(`${type}: ${what}`);
await Bun.write(path, `${JSON.stringify(publishedOf(catalogue.types), null, 1)}\n`);
