// Builds dist/ugc, one executable, and dist/lib/, the embedded ClickHouse engine it loads when it needs one.

import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Build } from '../src/process/build.ts';
import { builtAtMsOf, commitOf } from './commit.ts';
import { consolePage } from './console-page.ts';
import { entryPoints } from './entry-points.ts';
import { listPath, typesList } from './generated.ts';
import { sdkText } from './sdk.ts';

const root = join(import.meta.dir, '..');
const dist = join(root, 'dist');
const startedAt = performance.now();

mkdirSync(join(dist, 'lib'), { recursive: true });
// An event type whose file has just been made is in the binary; `npm run check` says what else follows from it.
const list = await typesList(root);
if (readFileSync(join(root, listPath), 'utf8') !== list) writeFileSync(join(root, listPath), list);

const outfile = join(dist, 'ugc');
const builtAs: Build = { commit: commitOf(root, process.env), builtAtMs: builtAtMsOf(process.env, Date.now()) };
const result = await Bun.build({
  entrypoints: [...entryPoints],
  target: 'bun',
  define: {
    builtAs: JSON.stringify(builtAs),
    builtConsole: JSON.stringify(await consolePage()),
    builtSdk: JSON.stringify(await sdkText(root, 'script')),
  },
  format: 'esm',
  bytecode: true,
  // Names stay: Elysia reads handlers' source, and stack traces should be read by people.
  minify: { whitespace: true, syntax: true, identifiers: false },
  compile: {
    outfile: `${outfile}.new`,
    // The binary reads nothing of the folder it is started in.
    autoloadDotenv: false,
    autoloadBunfig: false,
  },
  throw: false,
});
if (!result.success) {
  for (const log of result.logs) console.error(log);
  process.exit(1);
}
renameSync(`${outfile}.new`, outfile); // a running ugc keeps the file it has

const native = join(
  root,
  'node_modules',
  '@chdb',
  `lib-${process.platform}-${process.arch}${process.platform === 'linux' ? '-gnu' : ''}`,
);
for (const name of ['chdb_node.node', 'libchdb.so']) place(join(native, name), join(dist, 'lib', name));
console.log(`built ${outfile} in ${Math.round(performance.now() - startedAt)} ms`);

/** Half a gigabyte is linked where it can be and copied where it must. */
function place(from: string, to: string): void {
  if (!existsSync(from)) throw new Error(`${from} is missing: run bun install --frozen-lockfile`);
  if (existsSync(to) && statSync(to).size === statSync(from).size && statSync(to).mtimeMs >= statSync(from).mtimeMs)
    return;
  rmSync(to, { force: true });
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}
