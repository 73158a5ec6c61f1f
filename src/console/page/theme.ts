// Dark or light: as the system says, unless one was chosen here.

import { store } from './store.ts';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const name = 'ugc-console-theme';

/** What is shown, and not `system`. */
export const theme = store<'light' | 'dark'>('light');
export const chosen = store<Theme>(read());

const system = matchMedia('(prefers-color-scheme: dark)');

export function choose(next: Theme): void {
  try {
    localStorage.setItem(name, next);
  } catch {} // storage is refused: it lasts as long as the page
  chosen.set(next);
  apply();
}

export function apply(): void {
  const is = chosen.get();
  document.documentElement.dataset.theme = is === 'system' ? (system.matches ? 'dark' : 'light') : is;
  theme.set(document.documentElement.dataset.theme as 'light' | 'dark');
}

system.addEventListener('change', apply);

function read(): Theme {
  try {
    return themes.find(word => word === localStorage.getItem(name)) ?? 'system';
  } catch {
    return 'system';
  }
}
