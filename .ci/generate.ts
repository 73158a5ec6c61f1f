// `npm run generate`: writes all that follows from the definitions. Refuses, in words, what would break writers or readers.

import { join } from 'node:path';
import { generated, listPath, typesList } from './generated.ts';

const root = join(import.meta.dir, '..');
await writeIfOther(listPath, await typesList(root)); // first: the rest is made of what it lists

const { files, changes, refusals } = await generated(root);
for (const refusal of refusals) console.error(refusal);
if (refusals.length > 0) process.exit(1);
for (const change of changes) console.log(change);
for (const [path, text] of files) await writeIfOther(path, text);

async function writeIfOther(path: string, text: string): Promise<void> {
  const file = Bun.file(join(root, path));
  if ((await file.exists()) && (await file.text()) === text) return;
  await Bun.write(file, text);
  console.log(`wrote ${path}`);
}
