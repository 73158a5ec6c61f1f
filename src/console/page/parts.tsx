// What every view is made of: states told by sign and word, failures told with a way on, text to copy.

import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Asked } from './ask.ts';

export type StateName = 'ok' | 'waiting' | 'failing' | 'absent';

const signs: Readonly<Record<StateName, string>> = { ok: '✓', waiting: '◔', failing: '✕', absent: '–' };

/** Never by colour alone. */
export const State = ({ state, words = state }: { readonly state: StateName; readonly words?: string }) => (
  <span class={`state state-${state}`}>
    <span aria-hidden="true">{signs[state]}</span> {words}
  </span>
);

export const Problem = ({ words, again }: { readonly words: string; readonly again?: (() => void) | undefined }) => (
  <div class="problem" role="status">
    <span class="problem-sign" aria-hidden="true">
      ✕
    </span>
    <p class="lines">{words}</p>
    {again !== undefined && (
      <button type="button" onClick={again}>
        Try again
      </button>
    )}
  </div>
);

interface ShownProps<T> {
  readonly asked: Asked<T>;
  readonly children: (value: T) => ComponentChildren;
}

/** An answer once it is there; what went wrong stands above what is known from before. */
export function Shown<T>({ asked: { value, error, again }, children }: ShownProps<T>) {
  return (
    <>
      {error !== null && <Problem words={error} again={again} />}
      {value === null ? error === null && <p class="dim">Asking…</p> : children(value)}
    </>
  );
}

interface ViewProps {
  readonly title: string;
  readonly about?: ComponentChildren;
  /** Buttons beside the title. */
  readonly tools?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** Its heading takes the focus when one comes to it, so that a screen reader says where one is. */
export function View({ title, about, tools, children }: ViewProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    document.title = `${title} · ugc`;
    heading.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [title]);
  return (
    <>
      <div class="head">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {tools !== undefined && <div class="tools">{tools}</div>}
      </div>
      {about !== undefined && <p class="about">{about}</p>}
      {children}
    </>
  );
}

/** Text that is scrolled by key as well as by hand. */
export const Text = ({ text, name }: { readonly text: string; readonly name: string }) => (
  <div class="text">
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is to be reached by key */}
    <section class="shown" tabIndex={0} aria-label={name}>
      <pre>{text}</pre>
    </section>
    <Copy text={text} name={name} />
  </div>
);

export function Copy({ text, name }: { readonly text: string; readonly name: string }) {
  const [said, say] = useState('');
  async function copy(): Promise<void> {
    // Browsers give the clipboard to pages of HTTPS and of this machine alone.
    const words = await navigator.clipboard?.writeText(text).then(
      () => 'Copied',
      () => 'Select it and copy',
    );
    say(words ?? 'Select it and copy');
    setTimeout(() => say(''), 2_000);
  }
  return (
    <button type="button" class="copy" onClick={() => void copy()} aria-label={`Copy ${name}`}>
      <span aria-live="polite">{said === '' ? 'Copy' : said}</span>
    </button>
  );
}

interface GridProps {
  readonly caption: string;
  /** `#` in front: of numbers, to the right. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly ComponentChildren[])[];
}

export const Grid = ({ caption, columns, rows }: GridProps) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is to be reached by key
  <section class="scroll" tabIndex={0} aria-label={caption}>
    <table>
      <caption class="unseen">{caption}</caption>
      <thead>
        <tr>
          {columns.map(name => (
            <th key={name} scope="col" class={name.startsWith('#') ? 'number' : ''}>
              {name.replace(/^#/, '')}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, at) => (
          <tr key={at}>
            {row.map((value, column) => (
              <td key={columns[column]} class={columns[column]?.startsWith('#') ? 'number' : ''}>
                {value}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);

interface BarsProps {
  readonly caption: string;
  readonly columns: readonly [name: string, value: string];
  readonly rows: readonly { readonly name: string; readonly value: number; readonly words: string }[];
}

/** A chart that is a table. */
export function Bars({ caption, columns, rows }: BarsProps) {
  const most = Math.max(1e-9, ...rows.map(({ value }) => value));
  const bar = (value: number) => (
    <svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect width={Math.max(0.5, (100 * value) / most)} height="10" rx="1" />
    </svg>
  );
  return (
    <Grid
      caption={caption}
      columns={[columns[0], `#${columns[1]}`, 'Share of the most']}
      rows={rows.map(({ name, value, words }) => [name, words, bar(value)])}
    />
  );
}
