// Everything in the repository that follows from the definitions: the list of event types, what is published of them,
// the SDK's types of their fields, the dashboards of Superset and Grafana, and the tables in the documents (of settings, event types, metrics, problems, commands), each between `<!-- name: … -->` and `<!-- /name -->`.
// `npm run generate` writes them; test/unit/generated.test.ts holds them equal.
// An event type is one file, schemas/<family>/<name>.ts, with one export. Their order is that in which they were published.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventType } from '../schemas/event.ts';
import { typesTable } from '../schemas/markdown.ts';
import { changesOf, type Published, publishedOf, refusalsOf } from '../schemas/published.ts';
import { sdkTypesOf } from '../schemas/typescript.ts';
import { grafanaDashboards } from './grafana/dashboards.ts';
import { jsonOf, pathOf } from './grafana/panels.ts';
import { bundleOf } from './superset/bundle.ts';
import { dashboardsOf } from './superset/dashboards.ts';

export interface Generated {
  /** What it should be, by path from the root. */
  readonly files: ReadonlyMap<string, string>;
  /** What is new since it was published, in words. */
  readonly changes: readonly string[];
  /** What would break writers or readers, in words; then nothing is to be written. */
  readonly refusals: readonly string[];
}

export const listPath = 'schemas/every-type.ts';
const publishedPath = 'schemas/published.json';

interface Defined {
  readonly path: string;
  readonly exported: string;
  readonly type: EventType;
}

export async function generated(root: string): Promise<Generated> {
  const published = publishedIn(root);
  const types = (await definedIn(root)).map(({ type }) => type);
  const files = new Map([
    [listPath, await typesList(root)],
    [publishedPath, `${JSON.stringify(publishedOf(types), null, 1)}\n`],
    ['sdk/src/events.ts', sdkTypesOf(types)],
    ...(await documentsOf(root, types)),
    ...supersetOf(types),
    ...grafanaDashboards.map(dashboard => [pathOf(dashboard), jsonOf(dashboard)] as const),
  ]);
  const changes = changesOf(published, types).map(({ type, what }) => `${type}: ${what}`);
  return { files, changes, refusals: refusalsOf(published, types) };
}

/** The module that lists every type there is a file of. */
export async function typesList(root: string): Promise<string> {
  const defined = await definedIn(root);
  const imports = defined
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, exported }) => `import { ${exported} } from './${path}';\n`);
  return `// Every event type there is, in the order they were published. \`npm run generate\` writes it from the files in the folders.

${imports.join('')}
export const everyType = [
${defined.map(({ exported }) => `  ${exported},\n`).join('')}];
`;
}

function publishedIn(root: string): Published {
  const path = join(root, publishedPath);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Published) : {};
}

/** Throws when a file is not one type of that name and family. */
async function definedIn(root: string): Promise<readonly Defined[]> {
  const order = Object.keys(publishedIn(root));
  const rank = ({ type }: Defined): number => (order.includes(type.name) ? order.indexOf(type.name) : order.length);
  const paths = [...new Bun.Glob('*/*.ts').scanSync(join(root, 'schemas'))].toSorted();
  const defined = await Promise.all(paths.map(path => definedBy(root, path)));
  return defined.toSorted((a, b) => rank(a) - rank(b));
}

async function definedBy(root: string, path: string): Promise<Defined> {
  const [entry, another] = Object.entries((await import(join(root, 'schemas', path))) as Record<string, EventType>);
  if (entry === undefined || another !== undefined)
    throw new Error(`schemas/${path}: exports one thing, its event type`);
  const [exported, type] = entry;
  const belongs = `${type.family}/${type.name?.replaceAll('_', '-')}.ts`;
  if (belongs !== path) throw new Error(`schemas/${path}: event type ${type.name} belongs in schemas/${belongs}`);
  return { path, exported, type };
}

/** Read late: what they are made from reads the list of types, which may be new. */
async function documentsOf(root: string, types: readonly EventType[]): Promise<readonly [string, string][]> {
  const { configMarkdown } = await import('../src/operate/help.ts');
  const { commandsMarkdown } = await import('../src/operate/help.ts');
  const { metricsMarkdown } = await import('./metrics-table.ts');
  const { problemsMarkdown } = await import('./problems-table.ts');
  const tables = {
    settings: configMarkdown(),
    events: typesTable(types),
    metrics: metricsMarkdown(),
    commands: commandsMarkdown(),
    problems: problemsMarkdown(),
  };
  const paths = ['README.md', ...new Bun.Glob('docs/**/*.md').scanSync(root)].filter(path =>
    existsSync(join(root, path)),
  );
  return paths.map(path => [path, withTables(readFileSync(join(root, path), 'utf8'), tables)]);
}

const supersetOf = (types: readonly EventType[]): readonly (readonly [string, string])[] =>
  [...bundleOf(dashboardsOf(types))].map(([path, text]) => [`deploy/superset/bundle/${path}`, text]);

function withTables(text: string, tables: Readonly<Record<string, string>>): string {
  let written = text;
  for (const [name, table] of Object.entries(tables))
    written = written.replace(
      new RegExp(`(<!-- ${name}:[^\\n]*-->\\n)[\\s\\S]*?(<!-- /${name} -->)`),
      (_, open: string, close: string) => `${open}\n${table}\n\n${close}`,
    );
  return written;
}
