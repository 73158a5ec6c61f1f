// What a view is narrowed to, and a button that asks again.

export interface ChoiceProps {
  /** Before the list. */
  readonly words: string;
  readonly value: string;
  /** Each with its words. */
  readonly options: readonly (readonly [value: string | number, words: string])[];
  readonly onChoose: (value: string) => void;
  readonly again: () => void;
}

export const Choice = ({ words, value, options, onChoose, again }: ChoiceProps) => (
  <>
    <label>
      {words}{' '}
      <select value={value} onChange={event => onChoose(event.currentTarget.value)}>
        {options.map(([option, name]) => (
          <option key={option} value={String(option)}>
            {name}
          </option>
        ))}
      </select>
    </label>
    <button type="button" onClick={again}>
      Ask again
    </button>
  </>
);
