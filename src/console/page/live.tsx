// Events as they pass. A row is opened by its button; while one is open, or the list is paused, it stands still.

import { memo } from 'preact/compat';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ConsoleTypes } from '../answers.ts';
import type { ViewOf } from './app.tsx';
import { useAsked } from './ask.ts';
import { Event } from './event.tsx';
import { stateOf } from './outcome.ts';
import { Problem, State, View } from './parts.tsx';
import { passing, type Row, rowsMax } from './passing.ts';
import { useStore } from './store.ts';
import { clock, number } from './words.ts';

interface Filters {
  readonly type: string;
  readonly outcome: string;
  readonly key: string;
  readonly user: string;
}

const none: Filters = { type: '', outcome: '', key: '', user: '' };
const outcomes = ['accepted', 'rejected', 'dropped', 'failed'] as const;
const typingMs = 400;

export function Live(_: ViewOf) {
  const [filters, setFilters] = useState(none);
  const [isPaused, setPaused] = useState(false);
  const [open, setOpen] = useState<Row | null>(null);
  const query = useSettled(queryOf(filters));
  const view = useMemo(() => passing(query), [query]);
  useEffect(() => () => view.stop(), [view]);
  useEffect(() => view.pause(isPaused || open !== null), [view, isPaused, open]);
  return (
    <View
      title="Live events"
      tools={
        <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          {isPaused ? 'Go on' : 'Pause'}
        </button>
      }
    >
      <FilterForm filters={filters} onChange={setFilters} />
      <List view={view} onOpen={setOpen} />
      {open !== null && <Event row={open} onClose={() => setOpen(null)} />}
    </View>
  );
}

const queryOf = (filters: Filters): string =>
  new URLSearchParams(Object.entries(filters).filter(([, text]) => text.trim() !== '')).toString();

/** A value once it has not changed for a while: whoever types asks once. */
function useSettled(value: string): string {
  const [settled, settle] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => settle(value), typingMs);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

interface FormProps {
  readonly filters: Filters;
  readonly onChange: (filters: Filters) => void;
}

function FilterForm({ filters, onChange }: FormProps) {
  const { value } = useAsked<ConsoleTypes>('/v1/console/types');
  const set = (name: keyof Filters) => (event: { currentTarget: { value: string } }) =>
    onChange({ ...filters, [name]: event.currentTarget.value });
  return (
    <form class="filters" onSubmit={event => event.preventDefault()}>
      <label>
        Type
        <input list="types" placeholder="any, or film_*" value={filters.type} onInput={set('type')} />
        <datalist id="types">
          {value?.types.map(({ type }) => (
            <option key={type} value={type} />
          ))}
        </datalist>
      </label>
      <label>
        Outcome
        <select value={filters.outcome} onChange={set('outcome')}>
          <option value="">any</option>
          {outcomes.map(name => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        Key
        <input placeholder="name of an API key" value={filters.key} onInput={set('key')} />
      </label>
      <label>
        User
        <input placeholder="user_id or anonymous_id" value={filters.user} onInput={set('user')} />
      </label>
      <button type="button" onClick={() => onChange(none)}>
        Clear
      </button>
    </form>
  );
}

interface ListProps {
  readonly view: ReturnType<typeof passing>;
  readonly onOpen: (row: Row) => void;
}

function List({ view, onOpen }: ListProps) {
  const { rows, unseen, missed, problem } = useStore(view.shown);
  return (
    <>
      {problem !== '' && problem !== 'not yet asked' && <Problem words={`Not live: ${problem}. It is tried again.`} />}
      <p class="dim" role="status">
        {unseen > 0 ? `${number(unseen)} more have passed since. ` : ''}
        {missed > 0 ? `${number(missed)} were too many to be shown.` : ''}
        {unseen + missed === 0 ? `The newest ${rowsMax} are kept here.` : ''}
      </p>
      {rows.length === 0 ? (
        <p class="none panel dim">
          {problem === '' ? 'Waiting for events. Those that pass from now on appear here.' : 'Asking…'}
        </p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is to be reached by key
        <section class="scroll list" tabIndex={0} aria-label="Events, newest first">
          <table>
            <caption class="unseen">Events, newest first</caption>
            <thead>
              <tr>
                <th scope="col" class="c-at">
                  At (UTC)
                </th>
                <th scope="col" class="c-outcome">
                  Outcome
                </th>
                <th scope="col" class="c-type">
                  Type
                </th>
                <th scope="col" class="c-who">
                  User
                </th>
                <th scope="col" class="c-who">
                  Key
                </th>
                <th scope="col">Event</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(row => (
                <Line key={row.place} row={row} onOpen={onOpen} />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </>
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
