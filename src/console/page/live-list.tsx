// The list of events that pass, newest first. Only what can be seen of it is in the document: rows are of one height, and the
// place of the others is kept by padding.

import { memo } from 'preact/compat';
import { useEffect, useRef, useState } from 'preact/hooks';
import { stateOf } from './outcome.ts';
import { State } from './parts.tsx';
import type { Row } from './passing.ts';
import { clock } from './words.ts';

export interface LiveListProps {
  readonly rows: readonly Row[];
  readonly onOpen: (row: Row) => void;
  /** Its reader is in it, so that nothing should move; or has left it. */
  readonly onHold: (isHeld: boolean) => void;
}

/** Rows above and below what is seen. */
const spare = 4;
const firstRowPx = 28;

const heads: readonly (readonly [name: string, width: string])[] = [
  ['At (UTC)', 'c-at'],
  ['Outcome', 'c-outcome'],
  ['Type', 'c-type'],
  ['User', 'c-who'],
  ['Key', 'c-who'],
  ['Event', ''],
];

export function LiveList({ rows, onOpen, onHold }: LiveListProps) {
  const box = useRef<HTMLElement>(null);
  const [scrolledPx, setScrolled] = useState(0);
  const [size, setSize] = useState({ rowPx: firstRowPx, seenPx: 800 });
  const [isFocused, setFocused] = useState(false);
  useEffect(() => onHold(isFocused || scrolledPx > 0), [onHold, isFocused, scrolledPx > 0]);
  useEffect(() => () => onHold(false), [onHold]);
  useEffect(() => {
    const seen = box.current;
    if (seen === null) return;
    const measure = (): void => {
      const rowPx = seen.querySelector('tbody tr')?.getBoundingClientRect().height ?? firstRowPx;
      setSize({ rowPx, seenPx: seen.clientHeight });
    };
    const watching = new ResizeObserver(measure);
    watching.observe(seen);
    return () => watching.disconnect();
  }, []);
  const first = Math.max(0, Math.min(rows.length - 1, Math.floor(scrolledPx / size.rowPx)) - spare);
  const last = Math.min(rows.length, first + Math.ceil(size.seenPx / size.rowPx) + 2 * spare);
  return (
    <section
      ref={box}
      class="scroll list"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is to be reached by key
      tabIndex={0}
      aria-label="Events, newest first"
      onScroll={event => setScrolled(event.currentTarget.scrollTop)}
    >
      <div style={{ paddingTop: `${first * size.rowPx}px`, paddingBottom: `${(rows.length - last) * size.rowPx}px` }}>
        <table>
          <caption class="unseen">Events, newest first</caption>
          <thead>
            <tr>
              {heads.map(([name, width]) => (
                <th key={name} scope="col" class={width}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody onFocusIn={() => setFocused(true)} onFocusOut={() => setFocused(false)}>
            {rows.slice(first, last).map(row => (
              <Line key={row.place} row={row} onOpen={onOpen} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface LineProps {
  readonly row: Row;
  readonly onOpen: (row: Row) => void;
}

const charactersMax = 200;

/** A row never changes. */
const Line = memo(
  ({ row, onOpen }: LineProps) => (
    <tr>
      <td>
        <button type="button" class="link" onClick={() => onOpen(row)}>
          {clock(row.at)}
        </button>
      </td>
      <td>
        <State state={stateOf[row.outcome]} words={row.outcome} />
      </td>
      <td>{row.type}</td>
      <td>{row.user ?? '–'}</td>
      <td>{row.source === '' ? '–' : row.source}</td>
      <td class="code">
        {row.reason !== undefined && <b>{row.reason} </b>}
        {row.text.slice(0, charactersMax)}
      </td>
    </tr>
  ),
  () => true,
);
