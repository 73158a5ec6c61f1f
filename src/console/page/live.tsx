// Events as they pass. A row is opened by its button. The list stands still while it is paused, while one is open, and while
// its reader is in it: by key, or scrolled down.

import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ConsoleTypes } from '../answers.ts';
import { useAsked } from './ask.ts';
import { Event } from './event.tsx';
import { LiveList } from './live-list.tsx';
import { Problem, View } from './parts.tsx';
import { type PassingView, passing, type Row, rowsMax } from './passing.ts';
import { useStore } from './store.ts';
import type { Viewed } from './viewed.ts';
import { number } from './words.ts';

interface Filters {
  readonly type: string;
  readonly outcome: string;
  readonly key: string;
  readonly user: string;
}

const none: Filters = { type: '', outcome: '', key: '', user: '' };
const outcomes = ['accepted', 'rejected', 'dropped', 'failed'] as const;
const typingMs = 400;

export function Live(_: Viewed) {
  const [filters, setFilters] = useState(none);
  const [isPaused, setPaused] = useState(false);
  const [open, setOpen] = useState<Row | null>(null);
  const [isHeld, setHeld] = useState(false);
  const query = useSettled(queryOf(filters));
  const view = useMemo(() => passing(query), [query]);
  useEffect(() => () => view.stop(), [view]);
  useEffect(() => view.pause(isPaused || isHeld || open !== null), [view, isPaused, isHeld, open]);
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
      <Told view={view} onOpen={setOpen} onHold={setHeld} />
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

interface ToldProps {
  readonly view: PassingView;
  readonly onOpen: (row: Row) => void;
  readonly onHold: (isHeld: boolean) => void;
}

function Told({ view, onOpen, onHold }: ToldProps) {
  const { rows, unseen, missed, problem } = useStore(view.shown);
  return (
    <>
      {problem !== '' && problem !== 'not yet asked' && <Problem words={`Not live: ${problem}. It is tried again.`} />}
      <p class="dim">
        {unseen > 0 ? `It stands still: ${number(unseen)} more have passed. ` : ''}
        {missed > 0 ? `${number(missed)} were too many to be told. ` : ''}
        {unseen + missed === 0 ? `The newest ${rowsMax} are kept here.` : ''}
      </p>
      {rows.length === 0 ? (
        <p class="none panel dim">
          {problem === '' ? 'Waiting for events. Those that pass from now on appear here.' : 'Asking…'}
        </p>
      ) : (
        <LiveList rows={rows} onOpen={onOpen} onHold={onHold} />
      )}
    </>
  );
}
