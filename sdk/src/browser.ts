// The SDK in a page, with everything that tracks by itself.

export { clicks } from './automatic/clicks.ts';
export { type PageTimeOptions, pageTime } from './automatic/page-time.ts';
export { type PageViewOptions, pageViews } from './automatic/page-views.ts';
export { type Film, watch } from './automatic/player.ts';
export { vitals } from './automatic/vitals.ts';
export * from './core.ts';
