import { useRef } from 'preact/hooks';
import type { ServiceAnswer } from '../../view/shapes.js';
import { place, setParams, texts } from '../live/app.js';
import { type CellState, cellState } from '../pure/verdicts.js';

/** Verdicts look different without colour, too. */
const GLYPHS: Readonly<Record<CellState, string>> = {
  overloaded: '▲',
  recovering: '△',
  failing: '■',
  ok: '·',
  idle: '○',
  stale: '–',
  withdrawn: '×',
  never: '',
};
const HOSTS = 40;

/** Hosts × callers. The arrow keys walk through it, Enter shows what the caller said. */
export function MatrixTable({ answer }: { readonly answer: ServiceAnswer }) {
  const { service } = texts.value;
  const { matrix, hosts } = answer;
  const { host, caller } = place.value.params;
  const body = useRef<HTMLTableSectionElement>(null);
  const names = hosts.slice(0, Math.min(HOSTS, matrix.cells.length)).map(({ ip, port }) => `${ip}:${port}`);
  if (matrix.voices.length === 0 || names.length === 0) return null;
  const hidden = hosts.length - names.length;
  return (
    <section aria-labelledby="matrix-title">
      <h2 id="matrix-title">{service.matrix}</h2>
      <p class="muted">
        {service.matrixHelp}
        {(hidden > 0 || matrix.omitted.voices > 0) && ` ${service.omitted(hidden, matrix.omitted.voices)}`}
      </p>
      <section class="matrix-box" aria-label={service.matrixCaption} tabIndex={-1}>
        <table class="matrix">
          <caption class="visually-hidden">{service.matrixCaption}</caption>
          <thead>
            <tr>
              <td />
              {matrix.voices.map((voice) => (
                <th key={voice} scope="col" class={voice === caller ? 'chosen' : ''}>
                  <span>{voice}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody ref={body} onKeyDown={(event) => walk(event, body.current)}>
            {names.map((name, row) => (
              <tr key={name} class={name === host ? 'chosen' : ''}>
                <th scope="row">{name}</th>
                {[...(matrix.cells[row] ?? '')].map((letter, column) => (
                  <Cell
                    key={matrix.voices[column]}
                    host={name}
                    caller={matrix.voices[column] ?? ''}
                    verdict={cellState(letter)}
                    isFirst={row === 0 && column === 0}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <Legend />
    </section>
  );
}

interface CellProps {
  readonly host: string;
  readonly caller: string;
  readonly verdict: CellState;
  readonly isFirst: boolean;
}

function Cell({ host, caller, verdict, isFirst }: CellProps) {
  const { verdict: words, service } = texts.value;
  const chosen = place.value.params;
  const isChosen = chosen['host'] === host && chosen['caller'] === caller;
  const text = service.cell(host, caller, words[verdict]);
  return (
    <td data-host={host} data-caller={caller} data-verdict={verdict} class={isChosen ? 'chosen' : ''}>
      <button
        type="button"
        class={`glyph v-${verdict}`}
        tabIndex={isFirst ? 0 : -1}
        title={text}
        aria-label={text}
        aria-pressed={isChosen}
        disabled={verdict === 'never'}
        onClick={() => setParams(isChosen ? { host: undefined, caller: undefined } : { host, caller })}
      >
        {GLYPHS[verdict]}
      </button>
    </td>
  );
}

const STEPS: Readonly<Record<string, readonly [down: number, right: number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

function walk(event: KeyboardEvent, body: HTMLTableSectionElement | null): void {
  const step = STEPS[event.key];
  const cell = event.target instanceof Element ? event.target.closest('td') : null;
  const row = cell?.parentElement;
  if (!step || !body || !cell || !(row instanceof HTMLTableRowElement)) return;
  const next =
    body.rows[row.sectionRowIndex + step[0]]?.cells[cell.cellIndex + step[1]]?.querySelector('button');
  if (!next) return;
  event.preventDefault();
  event.stopPropagation();
  next.focus();
}

function Legend() {
  const { verdict, service } = texts.value;
  const states = Object.entries(GLYPHS) as [CellState, string][];
  return (
    <dl class="legend" aria-label={service.legend}>
      {states
        .filter(([state]) => state !== 'never')
        .map(([state, glyph]) => (
          <div key={state}>
            <dt class={`glyph v-${state}`}>
              <span aria-hidden="true">{glyph}</span>
            </dt>
            <dd>{verdict[state]}</dd>
          </div>
        ))}
    </dl>
  );
}
