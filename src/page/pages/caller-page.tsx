import type { CallerAnswer, CallerRow, Voice } from '../../view/shapes.js';
import { place, setParams, texts } from '../live/app.js';
import { COUNTS_TOPIC, useAnswer, useStream } from '../live/use-answer.js';
import { State } from '../parts/mark.js';
import { Failure, Loading } from '../parts/states.js';
import { Ago } from '../parts/times.js';
import { HostLink, ServiceLink } from '../parts/words.js';
import { toneOf } from '../pure/verdicts.js';
import { skewText, VoiceState, VoiceTags } from './callers-page.js';

const PAGE = 50;

/** One machine that calls: what it says beside what all say. */
export function CallerPage() {
  useStream(COUNTS_TOPIC);
  const { callers: words } = texts.value;
  const { id, params } = place.value;
  const { limit = String(PAGE) } = params;
  const { answer, error } = useAnswer<CallerAnswer>(`api/callers/${id}?limit=${limit}`);
  if (error.value && !answer.value) return <Failure error={error.value} />;
  if (!answer.value) return <Loading />;
  const { voice, rows, total } = answer.value;
  const left = total - rows.length;
  return (
    <div class="service" data-caller={voice.caller} data-state={voice.state}>
      <header class="sentence">
        <h1>
          <span class="id">{voice.caller}</span>
          <VoiceTags voice={voice} />
        </h1>
        <p class="lead">
          <VoiceState voice={voice} />
          <span class="why">{sentenceOf(voice)}</span>
        </p>
        <Advice voice={voice} />
      </header>
      <Facts voice={voice} />
      <RowTable rows={rows} />
      {left > 0 && (
        <p class="more">
          <button type="button" onClick={() => setParams({ limit: Math.min(500, rows.length + PAGE) })}>
            {words.more(Math.min(PAGE, left))}
          </button>
        </p>
      )}
    </div>
  );
}

function sentenceOf({ lone, hot }: Voice): string {
  const { callers: words } = texts.value;
  if (lone > 0) return words.sentenceAlone(lone, hot);
  return hot > 0 ? words.sentenceHot(hot) : words.sentenceOk;
}

function Advice({ voice }: { readonly voice: Voice }) {
  const { callers: words } = texts.value;
  const lines = [
    voice.suspect ? words.suspectText : '',
    voice.state === 'gone' ? words.goneText : '',
    voice.state === 'table' ? words.tableText : '',
    voice.state === 'connected' ? words.connectedText : '',
    voice.shared ? words.sharedText : '',
    voice.via !== null ? words.via(voice.via) : '',
  ].filter((line) => line !== '');
  return (
    <>
      {lines.map((line) => (
        <p key={line}>{line}</p>
      ))}
    </>
  );
}

function Facts({ voice }: { readonly voice: Voice }) {
  const { callers: words, never, unknown } = texts.value;
  return (
    <dl class="facts">
      <div>
        <dt>{words.columns.heard}</dt>
        <dd>{voice.heard === null ? never : <Ago time={voice.heard} />}</dd>
      </div>
      <div>
        <dt>{words.peer}</dt>
        <dd class="addr">{voice.lastPeer ?? unknown}</dd>
      </div>
      <div>
        <dt>{words.columns.skew}</dt>
        <dd>{skewText(voice.skewS)}</dd>
      </div>
    </dl>
  );
}

function RowTable({ rows }: { readonly rows: readonly CallerRow[] }) {
  const { callers: words } = texts.value;
  const columns = words.rowColumns;
  return (
    <section aria-labelledby="rows-title">
      <h2 id="rows-title">{words.rows}</h2>
      <div class="table-box">
        <table class="cards">
          <caption class="visually-hidden">{words.rows}</caption>
          <thead>
            <tr>
              <th scope="col">{columns.verdict}</th>
              <th scope="col">{columns.service}</th>
              <th scope="col">{columns.host}</th>
              <th scope="col">{columns.others}</th>
              <th scope="col">{columns.window}</th>
              <th scope="col" class="right">
                {columns.heard}
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={`${row.modid}/${row.cmdid} ${row.host}`} row={row} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Row({ row }: { readonly row: CallerRow }) {
  const { callers: words, hostState, service, verdict } = texts.value;
  const columns = words.rowColumns;
  return (
    <tr data-host={row.host} data-verdict={row.verdict}>
      <td class="c-state">
        <State tone={toneOf(row.verdict)} word={verdict[row.verdict]} />
      </td>
      <th scope="row" class="c-service">
        <ServiceLink service={row} />
      </th>
      <td>
        <HostLink host={row.host} />
      </td>
      <td data-label={columns.others}>
        <State tone={toneOf(row.state)} word={hostState[row.state]} />{' '}
        <span class="muted num">{words.agreeWith(row.hot, row.callers)}</span>
        {row.lone && <span class="tag alarm">{words.alone}</span>}
      </td>
      <td class="num" data-label={columns.window}>
        {service.rawWindow(row.succ, row.err)}
      </td>
      <td class="right" data-label={columns.heard}>
        <Ago time={row.heard} />
      </td>
    </tr>
  );
}
