// Which build this is. .ci/build.ts writes the value into the executable; a run from the source is the build `dev`, which
// nobody made at any time.

export interface Build {
  /** Of git, twelve digits, `-dirty` when the tree was not what was committed; `unknown` where git could not tell. */
  readonly commit: string;
  /** By the clock of the machine that built it; 0 of `dev`. */
  readonly builtAtMs: number;
}

/** In the executable a literal stands in its place. */
declare const builtAs: Build;

export const build: Build = typeof builtAs === 'undefined' ? { commit: 'dev', builtAtMs: 0 } : builtAs;

/** `commit 1a466c3b0d5e, built 2026-11-28T05:30:00Z`, or `dev`. */
export const buildText = ({ commit, builtAtMs }: Build): string =>
  builtAtMs === 0 ? commit : `commit ${commit}, built ${new Date(builtAtMs).toISOString().slice(0, 19)}Z`;
