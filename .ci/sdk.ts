// Builds the SDK for pages: the one script that the executable has in it and serves as /sdk.js.

import { join } from 'node:path';

/** Throws when it cannot be built. */
export async function sdkScript(root: string, entry = 'script', format: 'iife' | 'esm' = 'iife'): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [join(root, `sdk/src/${entry}.ts`)],
    target: 'browser',
    format,
    minify: true,
  });
  return (await outputs[0]!.text()).trim();
}
