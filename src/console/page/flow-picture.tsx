// The parts an event passes, in three columns, and the ways between them. A part that this process does not have is named
// beneath: what would be told of it is other processes' business.

import type { FlowPart } from '../answers.ts';
import { State } from './parts.tsx';

type Id = FlowPart['id'];

export interface PictureProps {
  readonly parts: readonly FlowPart[];
  readonly linesOf: (part: Id) => readonly (readonly [name: string, words: string])[];
  readonly isMoving: boolean;
}

const columns: readonly (readonly Id[])[] = [
  ['in', 'content'],
  ['log', 'buffer'],
  ['tables', 'archive'],
];

export function Picture({ parts, linesOf, isMoving }: PictureProps) {
  const here = parts.filter(({ state }) => state !== 'absent');
  // Without a broker the buffer is the log, and has its name.
  const absent = parts.filter(({ state, name }) => state === 'absent' && !here.some(one => one.name === name));
  const shown = columns
    .map(ids => ids.flatMap(id => here.find(part => part.id === id) ?? []))
    .filter(column => column.length > 0);
  return (
    <section aria-label="The way of an event">
      <div class={`picture picture-${shown.length}`}>
        {shown.map((column, at) => (
          <>
            {at > 0 && <Ways key={`to-${column[0]?.id}`} from={shown[at - 1]!} to={column} isMoving={isMoving} />}
            <ul key={column[0]?.id} class="column">
              {column.map(part => (
                <Part key={part.id} part={part} parts={here} lines={linesOf(part.id)} />
              ))}
            </ul>
          </>
        ))}
      </div>
      {absent.length > 0 && <p class="dim">Not in this process: {absent.map(({ name }) => name).join(', ')}.</p>}
    </section>
  );
}

interface PartProps {
  readonly part: FlowPart;
  readonly parts: readonly FlowPart[];
  readonly lines: readonly (readonly [name: string, words: string])[];
}

function Part({ part, parts, lines }: PartProps) {
  const next = part.to.flatMap(id => parts.find(one => one.id === id)?.name ?? []);
  return (
    <li class={`part part-${part.state}`}>
      <h2>
        {part.name} <State state={part.state} />
      </h2>
      {part.problem !== '' && <p class="lines part-problem">{part.problem}</p>}
      {lines.length > 0 && (
        <dl class="figures">
          {lines.map(([name, words]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{words}</dd>
            </div>
          ))}
        </dl>
      )}
      {next.length > 0 && <p class="dim next">→ {next.join(', ')}</p>}
    </li>
  );
}

interface WaysProps {
  readonly from: readonly FlowPart[];
  readonly to: readonly FlowPart[];
  readonly isMoving: boolean;
}

/** Cards of a column are of one height, so the middle of each is known without measuring. */
function Ways({ from, to, isMoving }: WaysProps) {
  const middle = (at: number, of: number): number => ((at + 0.5) * 100) / of;
  const ways = from.flatMap((part, at) =>
    to.flatMap((next, nextAt) =>
      part.to.includes(next.id)
        ? [{ key: `${part.id} ${next.id}`, y: middle(at, from.length), to: middle(nextAt, to.length) }]
        : [],
    ),
  );
  return (
    <svg class={`ways${isMoving ? ' moving' : ''}`} viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
      {ways.map(way => (
        <path key={way.key} d={`M0 ${way.y}C50 ${way.y} 50 ${way.to} 100 ${way.to}`} />
      ))}
    </svg>
  );
}
