// The console's page for the executable: src/console/page/ as one script and one style sheet, which the build puts in the
// place of `builtConsole` (src/console/built.ts).

import { join } from 'node:path';
import type { BuiltConsole } from '../src/console/built.ts';

const entry = join(import.meta.dir, '..', 'src', 'console', 'page', 'main.tsx');

/** Rejects, in the bundler's words, when the page does not build. */
export async function consolePage(): Promise<BuiltConsole> {
  const { outputs } = await Bun.build({
    entrypoints: [entry],
    target: 'browser',
    format: 'esm',
    minify: true,
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  const textOf = async (ending: string): Promise<string> => {
    const [file, another] = outputs.filter(({ path }) => path.endsWith(ending));
    if (file === undefined || another !== undefined) throw new Error(`the console's page is not one ${ending} file`);
    return file.text();
  };
  return { script: await textOf('.js'), style: await textOf('.css') };
}
