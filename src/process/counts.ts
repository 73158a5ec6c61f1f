// A counter for a hot path, of one or two labels. An increment of the library looks its labels up by a text made of them,
// about a microsecond; here it is a number of our own, handed to the metric when that is read.

import { Counter, type CounterConfiguration } from 'prom-client';

interface Cell {
  readonly first: string;
  readonly second: string;
  n: number;
}

const noCell = (): Cell => ({ first: '', second: '', n: 0 });

export class Counts<Label extends string> extends Counter<Label> {
  readonly #names: readonly [Label] | readonly [Label, Label];
  readonly #cells = new Map<string, Map<string, Cell>>();
  /** Most are like the one before. */
  #last = noCell();

  constructor(
    options: Omit<CounterConfiguration<Label>, 'collect' | 'labelNames'>,
    labelNames: readonly [Label] | readonly [Label, Label],
  ) {
    super({ ...options, labelNames, collect: () => this.#handOver() });
    this.#names = labelNames;
  }

  /** One more, by the values of the labels in the order of their names. */
  add(first: string, second = ''): void {
    if (this.#last.first !== first || this.#last.second !== second) this.#last = this.#cellOf(first, second);
    this.#last.n++;
  }

  override reset(): void {
    // The library's constructor resets before there is anything here.
    if (#cells in this) {
      this.#cells.clear();
      this.#last = noCell();
    }
    super.reset();
  }

  #cellOf(first: string, second: string): Cell {
    let ofFirst = this.#cells.get(first);
    if (ofFirst === undefined) {
      ofFirst = new Map();
      this.#cells.set(first, ofFirst);
    }
    let cell = ofFirst.get(second);
    if (cell === undefined) {
      cell = { first, second, n: 0 };
      ofFirst.set(second, cell);
    }
    return cell;
  }

  #handOver(): void {
    const [firstName, secondName] = this.#names;
    for (const ofFirst of this.#cells.values())
      for (const cell of ofFirst.values()) {
        if (cell.n === 0) continue;
        const labels = { [firstName]: cell.first, ...(secondName !== undefined && { [secondName]: cell.second }) };
        this.inc(labels as Record<Label, string>, cell.n);
        cell.n = 0;
      }
  }
}
