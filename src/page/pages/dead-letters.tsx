import { useSignal } from '@preact/signals';
import type { LetterJson } from '../../model/dead-letter.js';
import { formats, texts } from '../live/app.js';
import { type AskError, ask } from '../live/request.js';
import { useAnswer } from '../live/use-answer.js';

interface LettersAnswer {
  readonly total: number;
  readonly letters: readonly LetterJson[];
}

interface Session {
  readonly role?: string;
}

const EVERY_MS = 10_000;
const LIMIT = 1000;

/** Rows that the store refused, by its code, and what can be done about them. */
export function DeadLetters({ count }: { readonly count: number }) {
  const { reporter: words } = texts.value;
  return (
    <section aria-labelledby="letters-title">
      <h2 id="letters-title">{words.letters}</h2>
      {count === 0 ? <p class="muted">{words.lettersNone}</p> : <Letters />}
    </section>
  );
}

function Letters() {
  const { reporter: words } = texts.value;
  const columns = words.lettersColumns;
  const { answer } = useAnswer<LettersAnswer>(`api/dead-letters?limit=${LIMIT}`, EVERY_MS);
  const session = useAnswer<Session>('api/session', 60_000).answer.value;
  const outcome = useSignal('');
  const byCode = new Map<string, LetterJson[]>();
  for (const letter of answer.value?.letters ?? [])
    byCode.set(letter.code, [...(byCode.get(letter.code) ?? []), letter]);
  const mayChange = session?.role !== 'view';
  return (
    <>
      <div class="table-box">
        <table class="cards">
          <caption class="visually-hidden">{words.letters}</caption>
          <thead>
            <tr>
              <th scope="col">{columns.code}</th>
              <th scope="col" class="right">
                {columns.rows}
              </th>
              <th scope="col">{columns.example}</th>
              {mayChange && <th scope="col">{columns.actions}</th>}
            </tr>
          </thead>
          <tbody>
            {[...byCode].map(([code, letters]) => (
              <tr key={code} data-letters={code}>
                <th scope="row">{code}</th>
                <td class="right num">{formats.value.count(letters.length)}</td>
                <td>
                  <span class="id">
                    {letters[0]?.modid}/{letters[0]?.cmdid}
                  </span>{' '}
                  <span lang="en" class="muted">
                    {letters[0]?.message}
                  </span>
                </td>
                {mayChange && (
                  <td>
                    <Actions
                      code={code}
                      count={letters.length}
                      onDone={(text) => {
                        outcome.value = text;
                      }}
                    />
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p role="status">{outcome}</p>
    </>
  );
}

interface ActionsProps {
  readonly code: string;
  readonly count: number;
  readonly onDone: (text: string) => void;
}

function Actions({ code, count, onDone }: ActionsProps) {
  const { reporter: words } = texts.value;
  const asked = useSignal<'replay' | 'drop' | undefined>(undefined);
  const act = async () => {
    const action = asked.value;
    asked.value = undefined;
    try {
      if (action === 'replay') {
        const done = await ask<{ replayed: number }>('api/dead-letters/replay', {
          method: 'POST',
          body: { code },
        });
        onDone(words.replayed(done.replayed));
      } else {
        const path = `api/dead-letters?code=${encodeURIComponent(code)}`;
        onDone(words.dropped((await ask<{ dropped: number }>(path, { method: 'DELETE' })).dropped));
      }
    } catch (error) {
      onDone((error as AskError).message);
    }
  };
  if (asked.value === undefined)
    return (
      <span class="actions">
        <button
          type="button"
          onClick={() => {
            asked.value = 'replay';
          }}
        >
          {words.replay}
        </button>
        <button
          type="button"
          onClick={() => {
            asked.value = 'drop';
          }}
        >
          {words.drop}
        </button>
      </span>
    );
  const isReplay = asked.value === 'replay';
  return (
    <span class="actions" role="alertdialog" aria-label={isReplay ? words.replay : words.drop}>
      {isReplay ? words.confirmReplay(count, code) : words.confirmDrop(count, code)}
      <button type="button" class="danger" onClick={act}>
        {isReplay ? words.replay : words.drop}
      </button>
      <button
        type="button"
        onClick={() => {
          asked.value = undefined;
        }}
      >
        {words.cancel}
      </button>
    </span>
  );
}
