// Records that could not be stored: what lies in each and why. Replay and dismiss are shown to who may, and dismiss asks why.

import { useState } from 'preact/hooks';
import type { ConsoleDead, DeadActed, DeadAction } from '../answers.ts';
import { post, useAsked, wordsFor } from './ask.ts';
import { Choice } from './choice.tsx';
import { Problem, Shown, Text, View } from './parts.tsx';
import type { Viewed } from './viewed.ts';
import { laidOut, moment, number } from './words.ts';

type Letter = ConsoleDead['letters'][number];
type Act = 'replay' | 'dismiss';

export function Dead({ overview }: Viewed) {
  const [reason, setReason] = useState('');
  const asked = useAsked<ConsoleDead>(
    `/v1/console/dead?limit=100${reason === '' ? '' : `&reason=${encodeURIComponent(reason)}`}`,
  );
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [reasons, setReasons] = useState<readonly string[]>([]);
  const known = [...new Set([...reasons, ...(asked.value?.reasons ?? []).map(one => one.reason)])];
  if (known.length > reasons.length) setReasons(known);
  function choose(place: string, is: boolean): void {
    const next = new Set(chosen);
    if (is) next.add(place);
    else next.delete(place);
    setChosen(next);
  }
  function onActed(): void {
    setChosen(new Set());
    asked.again();
  }
  return (
    <View
      title="Dead letters"
      about="Records of the log that ClickHouse could not take. They lie where they are until they are replayed or dismissed."
      tools={
        <Choice
          words="Reason"
          value={reason}
          options={[['', 'any'], ...known.map(name => [name, name] as const)]}
          onChoose={setReason}
          again={asked.again}
        />
      }
    >
      <Shown asked={asked}>
        {({ letters, reasons: counts }) => (
          <>
            <p class="dim">
              {counts.map(({ reason: name, topic, count }) => `${number(count)} ${name} of ${topic}`).join(', ')}
            </p>
            {overview.may_act && letters.length > 0 && (
              <Acting letters={letters} chosen={chosen} onChoose={setChosen} onActed={onActed} />
            )}
            {letters.length === 0 ? (
              <p class="none panel dim">There are none.</p>
            ) : (
              <ul class="groups">
                {letters.map(letter => (
                  <One
                    key={letter.place}
                    letter={letter}
                    isChosen={overview.may_act ? chosen.has(letter.place) : null}
                    onChoose={is => choose(letter.place, is)}
                  />
                ))}
              </ul>
            )}
          </>
        )}
      </Shown>
    </View>
  );
}

interface ActingProps {
  readonly letters: readonly Letter[];
  readonly chosen: ReadonlySet<string>;
  readonly onChoose: (places: ReadonlySet<string>) => void;
  readonly onActed: () => void;
}

function Acting({ letters, chosen, onChoose, onActed }: ActingProps) {
  const [why, setWhy] = useState('');
  const [said, say] = useState('');
  const [error, setError] = useState('');
  const [isBusy, setBusy] = useState(false);
  const isAll = chosen.size === letters.length;
  async function act(how: Act): Promise<void> {
    setBusy(true);
    setError('');
    const places = [...chosen];
    const body: DeadAction = how === 'dismiss' ? { places, why: why.trim() } : { places };
    try {
      const { done, left } = await post<DeadActed>(`/v1/console/dead/${how}`, body);
      say(`${number(done)} ${how === 'replay' ? 'replayed' : 'dismissed'}`);
      setError(
        Object.entries(left)
          .map(([place, words]) => `${place} stays: ${words}`)
          .join('\n'),
      );
      setWhy('');
      onActed();
    } catch (failure) {
      setError(wordsFor(failure));
    }
    setBusy(false);
  }
  return (
    <div class="panel acting">
      <button type="button" onClick={() => onChoose(new Set(isAll ? [] : letters.map(({ place }) => place)))}>
        {isAll ? 'Choose none' : `Choose all ${letters.length}`}
      </button>
      <button type="button" class="main" disabled={isBusy || chosen.size === 0} onClick={() => void act('replay')}>
        Replay {chosen.size}
      </button>
      <label>
        Why dismiss
        <input value={why} onInput={event => setWhy(event.currentTarget.value)} />
      </label>
      <button
        type="button"
        disabled={isBusy || chosen.size === 0 || why.trim() === ''}
        onClick={() => void act('dismiss')}
      >
        Dismiss {chosen.size}
      </button>
      <span role="status">{said}</span>
      {error !== '' && <Problem words={error} />}
    </div>
  );
}

interface OneProps {
  readonly letter: Letter;
  /** Null: nobody may act. */
  readonly isChosen: boolean | null;
  readonly onChoose: (is: boolean) => void;
}

const One = ({ letter, isChosen, onChoose }: OneProps) => (
  <li class="panel">
    <div class="head">
      <h2>
        {isChosen === null ? (
          letter.place
        ) : (
          <label>
            <input type="checkbox" checked={isChosen} onChange={event => onChoose(event.currentTarget.checked)} />{' '}
            {letter.place}
          </label>
        )}
      </h2>
      <b>{letter.reason}</b>
    </div>
    <p class="lines">{letter.error}</p>
    <p class="dim">
      {letter.topic}, {moment(letter.at)} UTC
    </p>
    <details>
      <summary>
        Its bytes<span class="unseen"> of {letter.place}</span>
      </summary>
      <Text text={laidOut(letter.bytes)} name={`the bytes of ${letter.place}`} />
    </details>
  </li>
);
