// A counter for a hot path, of one or two labels. An increment of the library looks its labels up by a text made of them,
// about a microsecond; here it is a number of our own, handed to the metric when that is read.

import { Counter, type CounterConfiguration } from 'prom-client';

export interface Counts {
  /** One more, by the values of the labels in the order of their names. */
  add(first: string, second?: string): void;
}

interface Cell {
  readonly first: string;
  readonly second: string;
  n: number;
}

const noCell = (): Cell => ({ first: '', second: '', n: 0 });

/** Throws as the library does, for a name that is none or is there already. */
export function countsOf<Label extends string>(
  options: Omit<CounterConfiguration<Label>, 'collect' | 'labelNames'>,
  labelNames: readonly [Label] | readonly [Label, Label],
): Counts {
  const [firstName, secondName] = labelNames;
  const cells = new Map<string, Map<string, Cell>>();
  /** Most are like the one before. */
  let last = noCell();
  const metric = new Counter<Label>({ ...options, labelNames, collect: handOver });
  const reset = metric.reset.bind(metric);
  metric.reset = () => {
    cells.clear();
    last = noCell();
    reset();
  };

  function handOver(): void {
    for (const ofFirst of cells.values())
      for (const cell of ofFirst.values()) {
        if (cell.n === 0) continue;
        const labels = { [firstName]: cell.first, ...(secondName !== undefined && { [secondName]: cell.second }) };
        metric.inc(labels as Record<Label, string>, cell.n);
        cell.n = 0;
      }
  }

  function cellOf(first: string, second: string): Cell {
    let ofFirst = cells.get(first);
    if (ofFirst === undefined) {
      ofFirst = new Map();
      cells.set(first, ofFirst);
    }
    let cell = ofFirst.get(second);
    if (cell === undefined) {
      cell = { first, second, n: 0 };
      ofFirst.set(second, cell);
    }
    return cell;
  }

  return {
    add(first, second = '') {
      if (last.first !== first || last.second !== second) last = cellOf(first, second);
      last.n++;
    },
  };
}
