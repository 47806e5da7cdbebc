import { type CallersAnswer, VOICE_STATES, type Voice } from '../../view/shapes.js';
import { formats, href, place, setParams, texts } from '../live/app.js';
import { COUNTS_TOPIC, useAnswer, useStream } from '../live/use-answer.js';
import { CopyButton } from '../parts/copy-button.js';
import { State } from '../parts/mark.js';
import { Failure, Loading, Notice } from '../parts/states.js';
import { Ago } from '../parts/times.js';
import { queryOf } from '../pure/page-address.js';
import type { Tone } from '../pure/verdicts.js';

const PAGE = 50;
const FLAGS = ['suspect', 'shared', 'skewed'] as const;

/** Machines that call, across services. */
export function CallersPage() {
  useStream(COUNTS_TOPIC);
  const { callers: words, overview } = texts.value;
  const { q, state, suspect, shared, skewed, limit = String(PAGE) } = place.value.params;
  const query = queryOf({ q, state, suspect, shared, skewed, limit });
  const { answer, error } = useAnswer<CallersAnswer>(`api/callers?${query}`);
  const found = answer.value;
  return (
    <div class="list">
      <h1>{words.title}</h1>
      <p class="muted">{words.lead}</p>
      <Filters counts={found?.counts} />
      {error.value && !found && <Failure error={error.value} />}
      {!found && !error.value && <Loading />}
      {found && found.total === 0 && <Notice>{words.none}</Notice>}
      {found && found.total > 0 && (
        <>
          <VoiceTable voices={found.voices} />
          <p class="more">
            {found.total > found.voices.length && (
              <>
                {overview.shown(String(found.voices.length), String(found.total))}{' '}
                <button
                  type="button"
                  onClick={() => setParams({ limit: Math.min(500, found.voices.length + PAGE) })}
                >
                  {overview.more(Math.min(PAGE, found.total - found.voices.length))}
                </button>
              </>
            )}
            <CopyButton
              label={words.copyList}
              text={() => found.voices.map(({ caller }) => caller).join('\n')}
            />
          </p>
        </>
      )}
    </div>
  );
}

function Filters({ counts }: { readonly counts: CallersAnswer['counts'] | undefined }) {
  const { callers: words, voiceState } = texts.value;
  const { params } = place.value;
  const asked = (params['state'] ?? '').split(',').filter((word) => word !== '');
  const toggle = (state: string) => {
    const next = asked.includes(state) ? asked.filter((word) => word !== state) : [...asked, state];
    setParams({ state: next.join(','), limit: undefined });
  };
  return (
    <fieldset class="chips" aria-label={words.columns.state}>
      {VOICE_STATES.map((state) => (
        <button
          key={state}
          type="button"
          class="chip"
          aria-pressed={asked.includes(state)}
          onClick={() => toggle(state)}
        >
          <b class="num">{counts === undefined ? '·' : formats.value.count(counts[state])}</b>{' '}
          {voiceState[state]}
        </button>
      ))}
      {FLAGS.map((flag) => (
        <button
          key={flag}
          type="button"
          class="chip"
          aria-pressed={params[flag] === 'true'}
          onClick={() =>
            setParams({ [flag]: params[flag] === 'true' ? undefined : 'true', limit: undefined })
          }
        >
          {words[flag]}
        </button>
      ))}
    </fieldset>
  );
}

const TONES: Readonly<Record<Voice['state'], Tone>> = {
  reporting: 'ok',
  connected: 'quiet',
  gone: 'failing',
  table: 'noted',
};

export function VoiceState({ voice }: { readonly voice: Voice }) {
  return <State tone={TONES[voice.state]} word={texts.value.voiceState[voice.state]} />;
}

export function VoiceTags({ voice }: { readonly voice: Voice }) {
  const { callers: words } = texts.value;
  return (
    <>
      {voice.suspect && <span class="tag alarm">{words.suspect}</span>}
      {voice.shared && <span class="tag alarm">{words.shared}</span>}
    </>
  );
}

const SKEW_S = 5;

/** How far its clock is off; small differences are none. */
export function skewText(skewS: number | null): string {
  const { callers: words } = texts.value;
  if (skewS === null || Math.abs(skewS) < SKEW_S) return '–';
  const span = formats.value.span(Math.abs(skewS));
  return skewS > 0 ? words.behind(span) : words.ahead(span);
}

function VoiceTable({ voices }: { readonly voices: readonly Voice[] }) {
  const { callers: words, never } = texts.value;
  const { columns } = words;
  return (
    <div class="table-box">
      <table class="cards">
        <caption class="visually-hidden">{words.caption}</caption>
        <thead>
          <tr>
            <th scope="col">{columns.state}</th>
            <th scope="col">{columns.caller}</th>
            <th scope="col" class="right">
              {columns.lone}
            </th>
            <th scope="col" class="right">
              {columns.hot}
            </th>
            <th scope="col" class="right">
              {columns.skew}
            </th>
            <th scope="col" class="right">
              {columns.heard}
            </th>
          </tr>
        </thead>
        <tbody>
          {voices.map((voice) => (
            <tr key={voice.caller} data-caller={voice.caller} data-state={voice.state}>
              <td class="c-state">
                <VoiceState voice={voice} />
              </td>
              <th scope="row" class="c-service">
                <a class="addr row-link" href={href(`callers/${voice.caller}`)}>
                  {voice.caller}
                </a>
                <VoiceTags voice={voice} />
              </th>
              <td class={`right num${voice.lone === 0 ? ' muted' : ''}`} data-label={columns.lone}>
                {formats.value.count(voice.lone)}
              </td>
              <td class={`right num${voice.hot === 0 ? ' muted' : ''}`} data-label={columns.hot}>
                {formats.value.count(voice.hot)}
              </td>
              <td class="right num" data-label={columns.skew}>
                {skewText(voice.skewS)}
              </td>
              <td class="right" data-label={columns.heard}>
                {voice.heard === null ? never : <Ago time={voice.heard} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
