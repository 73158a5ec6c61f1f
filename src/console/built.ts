// The page as the build made it. .ci/build.ts writes it into the executable; a run from the source has none, and shows
// none.

export interface BuiltConsole {
  /** A module, all it needs in it. */
  readonly script: string;
  readonly style: string;
}

/** In the executable a literal stands in its place. */
declare const builtConsole: BuiltConsole;

export const built: BuiltConsole | null = typeof builtConsole === 'undefined' ? null : builtConsole;
