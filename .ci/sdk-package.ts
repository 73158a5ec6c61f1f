// `npm run sdk`: makes dist/sdk/, the package @ugc/browser as it is published: modules for pages and programs, and their types.

import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipBytesOf, sdkText } from './sdk.ts';

const root = join(import.meta.dir, '..');
const folder = join(root, 'dist', 'sdk');

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
cpSync(join(root, 'sdk/package.json'), join(folder, 'package.json'));
for (const entry of ['browser', 'core', 'server'] as const) {
  const text = await sdkText(root, entry);
  writeFileSync(join(folder, `${entry}.js`), text);
  console.log(`${entry}.js: ${gzipBytesOf(text)} bytes, compressed`);
}
const types = [
  '-p',
  'sdk',
  '--noEmit',
  'false',
  '--declaration',
  '--emitDeclarationOnly',
  '--rootDir',
  'sdk/src',
  '--outDir',
  folder,
];
const { exitCode, stdout } = Bun.spawnSync([join(root, 'node_modules/.bin/tsc'), ...types], { cwd: root });
if (exitCode !== 0) {
  console.error(stdout.toString());
  process.exit(1);
}
