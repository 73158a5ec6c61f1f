// What is refused for good, most frequent first: why, what one looks like, and what its sender should do.

import { useState } from 'preact/hooks';
import type { ConsoleRejections } from '../answers.ts';
import { useAsked } from './ask.ts';
import { Choice } from './choice.tsx';
import { Shown, Text, View } from './parts.tsx';
import type { Viewed } from './viewed.ts';
import { laidOut, moment, number } from './words.ts';

const spans: readonly (readonly [hours: number, words: string])[] = [
  [1, 'the last hour'],
  [24, 'the last day'],
  [168, 'the last week'],
  [720, 'the last 30 days'],
];

type Group = ConsoleRejections['groups'][number];

export function Rejected(_: Viewed) {
  const [hours, setHours] = useState(24);
  const asked = useAsked<ConsoleRejections>(`/v1/console/rejections?hours=${hours}`, 30_000);
  return (
    <View
      title="Rejected"
      about="Events that were refused for good, by type, reason, field and key. What a sender wrote is not kept."
      tools={
        <Choice
          words="Of"
          value={String(hours)}
          options={spans}
          onChoose={span => setHours(Number(span))}
          again={asked.again}
        />
      }
    >
      <Shown asked={asked}>
        {({ groups }) =>
          groups.length === 0 ? (
            <p class="none panel dim">Nothing was rejected.</p>
          ) : (
            <ul class="groups">
              {groups.map(group => (
                <One key={[group.type, group.reason, group.field, group.source].join('\n')} group={group} />
              ))}
            </ul>
          )
        }
      </Shown>
    </View>
  );
}

const One = ({ group }: { readonly group: Group }) => (
  <li class="panel">
    <div class="head">
      <h2>
        {group.type === '' ? 'no type of the catalogue' : group.type}: {group.reason}{' '}
        {group.field !== '' && <code>{group.field}</code>}
      </h2>
      <b class="count">{number(group.count)}</b>
    </div>
    <p class="lines">{group.mend}</p>
    <p class="dim">
      {group.source === '' ? 'without a key' : `by the key ${group.source}`}, {moment(group.first_at)} to{' '}
      {moment(group.last_at)} UTC
    </p>
    {group.example !== '' && (
      <details>
        <summary>
          The shape of one
          <span class="unseen">
            {' '}
            of {group.type} {group.reason} {group.field}
          </span>
        </summary>
        <Text text={laidOut(group.example)} name="the shape" />
      </details>
    )}
  </li>
);
