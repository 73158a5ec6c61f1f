// Builds the SDK: /sdk.js, the one script that the executable has in it, and dist/sdk/, the package. Bundled by Bun and made small
// by terser, whose output is a twentieth smaller: every page of every visitor loads it.

import { join } from 'node:path';
import { minify } from 'terser';

export type SdkEntry = 'script' | 'browser' | 'core' | 'server';

/** Names of members that only the SDK's own files speak to each other by, and no browser has: they are made short. */
export const inside =
  /^(isBeaconed|onDisk|isElsewhere|renew|adopt|gather|isOffByDefault|setUser|choose|choices|isOn|eventsMax|eventJson|added|beacon|batch|leave|beat|known|listen|also|who|put|drop|post|sender|remove)$/;

/** Throws when it cannot be built. `script` is one for a script tag, the others are modules. */
export async function sdkText(root: string, entry: SdkEntry): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [join(root, `sdk/src/${entry}.ts`)],
    target: 'browser',
    format: entry === 'script' ? 'iife' : 'esm',
  });
  const { code } = await minify(await outputs[0]!.text(), {
    module: true,
    ecma: 2020,
    compress: { passes: 3, inline: 1, unsafe_arrows: true, pure_getters: true },
    mangle: { properties: { regex: inside } },
  });
  if (!code) throw new Error(`sdk/src/${entry}.ts: nothing is left of it`);
  return code;
}

export const gzipBytesOf = (text: string): number => Bun.gzipSync(text, { level: 9 }).length;
