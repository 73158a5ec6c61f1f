// What is compiled into dist/ugc, as a CycloneDX 1.6 document on stdout or into the file named: each package a file of which the
// bundler takes, with version and hash as bun.lock has them, the engine beside the binary, and Bun itself.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { entryPoints } from './entry-points.ts';

const root = join(import.meta.dir, '..');
const { name, version } = readJson<{ name: string; version: string }>('package.json');
/** By its place in node_modules: name@version and, among the rest, the hash. */
const { packages } = Bun.JSONC.parse(readFileSync(join(root, 'bun.lock'), 'utf8')) as {
  packages: Readonly<Record<string, readonly [string, ...unknown[]]>>;
};

const built = await Bun.build({
  entrypoints: [...entryPoints],
  target: 'bun',
  metafile: true,
});
const taken = Object.values(built.metafile?.outputs ?? {}).flatMap(({ inputs }) => Object.keys(inputs));
const engines = Object.keys(packages).filter(place => place === 'chdb' || place.startsWith('@chdb/lib-'));
const places = new Set([...taken.filter(path => path.includes('node_modules/')).map(placeOf), ...engines]);
if (places.size === engines.length)
  throw new Error('the bundler names no package: has the shape of its metafile changed?');

const sbom = {
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  version: 1,
  metadata: { component: { type: 'application', 'bom-ref': name, name, version } },
  components: [
    { type: 'application', 'bom-ref': 'bun', name: 'bun', version: Bun.version, purl: `pkg:npm/bun@${Bun.version}` },
    ...[...places].sort().map(componentOf),
  ],
};
const text = `${JSON.stringify(sbom, null, 2)}\n`;
const [path] = Bun.argv.slice(2);
if (path === undefined) process.stdout.write(text);
else writeFileSync(path, text);

/** node_modules/a/node_modules/@b/c/d.js → a/@b/c, as bun.lock spells it. */
function placeOf(path: string): string {
  return path
    .split('node_modules/')
    .slice(1)
    .map(part =>
      part
        .split('/')
        .slice(0, part.startsWith('@') ? 2 : 1)
        .join('/'),
    )
    .join('/');
}

function componentOf(place: string) {
  const locked = packages[place];
  if (locked === undefined) throw new Error(`bun.lock has no ${place}: run bun install --frozen-lockfile`);
  const [id] = locked;
  const at = id.lastIndexOf('@');
  const purl = `pkg:npm/${id.slice(0, at).replace('@', '%40')}@${id.slice(at + 1)}`;
  const hash = locked.find((part): part is string => typeof part === 'string' && part.startsWith('sha512-'));
  const content = hash === undefined ? '' : Buffer.from(hash.slice(7), 'base64').toString('hex');
  return {
    type: 'library',
    'bom-ref': purl,
    name: id.slice(0, at),
    version: id.slice(at + 1),
    purl,
    ...(content !== '' && { hashes: [{ alg: 'SHA-512', content }] }),
  };
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(join(root, file), 'utf8')) as T;
}
