import type { ReporterStatus, WriterStatus } from '../../model/status.js';
import type { CallersAnswer } from '../../view/shapes.js';
import { formats, nowMs, texts } from '../live/app.js';
import type { Problem, ReporterAnswer } from '../live/reporter-answer.js';
import { reporter } from '../live/reporter-health.js';
import { useAnswer, useStream } from '../live/use-answer.js';
import { CopyButton } from '../parts/copy-button.js';
import { State } from '../parts/mark.js';
import { problemWords } from '../parts/problem-words.js';
import { Loading } from '../parts/states.js';
import { Span } from '../parts/times.js';
import { CallerLink } from '../parts/words.js';
import { secondsSince } from '../pure/formats.js';
import { DeadLetters } from './dead-letters.js';

const GONE_MS = 10_000;
const MOST_GONE = 500;

/** How the reporter itself is: may this page be believed, and what has to be done. */
export function ReporterPage() {
  useStream('reporter', undefined, async () => {});
  const known = reporter.value;
  if (!known) return <Loading rows={12} />;
  return (
    <div class="list reporter">
      <h1>{texts.value.reporter.title}</h1>
      <Problems problems={known.problems} />
      {known.ledger && <LedgerEquation ledger={known.ledger} />}
      <Flow known={known} />
      <Gone />
      {known.writers && known.writers.length > 0 && <Writers writers={known.writers} store={known.store} />}
      {known.traffic && <Input known={known} traffic={known.traffic} />}
      <DeadLetters count={known.deadLetters ?? 0} />
      {known.view && <ViewFacts view={known.view} />}
    </div>
  );
}

function Problems({ problems }: { readonly problems: readonly Problem[] }) {
  const { reporter: words } = texts.value;
  if (problems.length === 0)
    return (
      <p class="lead well">
        <State tone="ok" word={words.wellTitle} />
      </p>
    );
  return (
    <section aria-labelledby="problems-title">
      <h2 id="problems-title">{words.problems}</h2>
      <ul class="problems">
        {problems.map((problem) => (
          <ProblemItem key={problem.code} problem={problem} />
        ))}
      </ul>
    </section>
  );
}

const SEVERITY_TONES = { critical: 'overloaded', warning: 'failing', notice: 'noted' } as const;

function ProblemItem({ problem }: { readonly problem: Problem }) {
  const { reporter: words } = texts.value;
  const { what, means } = problemWords(problem);
  return (
    <li data-problem={problem.code}>
      <p class="lead">
        <State tone={SEVERITY_TONES[problem.severity]} word={what} />
        {problem.since !== null && (
          <span class="since">
            <Span time={problem.since} />
          </span>
        )}
      </p>
      <p lang="en" class="muted">
        {problem.text}
      </p>
      <p>{means}</p>
      {problem.doc !== undefined && (
        <p>
          {words.doc}: <code>{problem.doc}</code>
        </p>
      )}
    </li>
  );
}

const IN = ['received', 'recovered'] as const;
const OUT = ['upserted', 'coalesced', 'rejected', 'deadLettered', 'pending'] as const;

/** received + recovered = stored + … + pending */
function LedgerEquation({ ledger }: Pick<ReporterStatus, 'ledger'>) {
  const { reporter: words } = texts.value;
  const term = (name: (typeof IN)[number] | (typeof OUT)[number]) => (
    <span class="term">
      <b class="num" data-ledger={name}>
        {formats.value.count(ledger[name])}
      </b>
      <span class="term-name">{words.ledgerNames[name]}</span>
    </span>
  );
  return (
    <section aria-labelledby="ledger-title">
      <h2 id="ledger-title">{words.ledger}</h2>
      <p class="equation" data-balanced={ledger.balanced}>
        {IN.flatMap((name, index) => [
          index > 0 && <i key={`${name}+`}>+</i>,
          <span key={name}>{term(name)}</span>,
        ])}
        <i>=</i>
        {OUT.flatMap((name, index) => [
          index > 0 && <i key={`${name}+`}>+</i>,
          <span key={name}>{term(name)}</span>,
        ])}
        {ledger.balanced ? (
          <span class="tone-ok state">✓ {words.balanced}</span>
        ) : (
          <State tone="outage" word={words.unbalanced} />
        )}
      </p>
    </section>
  );
}

interface FactProps {
  readonly name: string;
  readonly value: string;
  readonly note?: string;
}

function Fact({ name, value, note }: FactProps) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>
        <b class="num">{value}</b>
        {note !== undefined && <span class="muted">{note}</span>}
      </dd>
    </div>
  );
}

function Flow({ known }: { readonly known: ReporterAnswer }) {
  const { reporter: words } = texts.value;
  const { count, rate, span } = written();
  const { rates, flush, agents, ledger, writers = [], traffic, uptimeS } = known;
  const oldest = Math.max(0, ...writers.map(({ oldestPendingSeconds }) => oldestPendingSeconds));
  const ms = (value: number | null) => (value === null ? '–' : `${rate(value)} ms`);
  return (
    <section aria-labelledby="flow-title">
      <h2 id="flow-title">{words.flow}</h2>
      <dl class="tiles">
        {rates && <Fact name={words.rowsIn} value={rate(rates.rowsIn)} note={words.perSecond} />}
        {rates && <Fact name={words.rowsStored} value={rate(rates.rowsStored)} note={words.perSecond} />}
        {ledger && (
          <Fact name={words.pending} value={count(ledger.pending)} note={words.oldest(span(oldest))} />
        )}
        {flush && <Fact name={words.flush} value={`${ms(flush.p50Ms)} / ${ms(flush.p99Ms)}`} />}
        {traffic && (
          <Fact
            name={words.connections}
            value={count(traffic.connections)}
            note={`${words.refused} ${count(traffic.refused)}`}
          />
        )}
        {agents && agents.gone !== null && <Fact name={words.gone} value={count(agents.gone)} />}
        {uptimeS !== undefined && <Fact name={words.uptime} value={span(uptimeS)} />}
      </dl>
    </section>
  );
}

function written() {
  const known = formats.value;
  return {
    count: (number: number) => known.count(number),
    rate: (number: number) => known.rate(number),
    span: (seconds: number) => known.span(seconds),
    bytes: (bytes: number) => known.bytes(bytes),
  };
}

/** Machines whose agents have to be restarted, and those that share an address. */
function Gone() {
  const { reporter: words, callers } = texts.value;
  const gone = useAnswer<CallersAnswer>(`api/callers?state=gone,table&limit=${MOST_GONE}`, GONE_MS).answer
    .value;
  const shared = useAnswer<CallersAnswer>('api/callers?shared=true&limit=50', GONE_MS).answer.value;
  return (
    <section aria-labelledby="gone-title">
      <h2 id="gone-title">{words.goneTitle}</h2>
      {gone && gone.total === 0 && <p class="muted">{words.goneNone}</p>}
      {gone && gone.total > 0 && (
        <>
          <p class="muted">{words.goneLead}</p>
          <Addresses voices={gone} />
          <p>
            <CopyButton
              label={callers.copyList}
              text={() => gone.voices.map(({ caller }) => caller).join('\n')}
            />
          </p>
        </>
      )}
      {shared && shared.total > 0 && (
        <>
          <h3>{words.sharedTitle}</h3>
          <p class="muted">{callers.sharedText}</p>
          <Addresses voices={shared} />
        </>
      )}
    </section>
  );
}

function Addresses({ voices }: { readonly voices: CallersAnswer }) {
  return (
    <ul class="addresses">
      {voices.voices.map(({ caller, heard }) => (
        <li key={caller}>
          <CallerLink caller={caller} />{' '}
          {heard !== null && (
            <span class="muted">{formats.value.span(secondsSince(heard, nowMs.value))}</span>
          )}
        </li>
      ))}
    </ul>
  );
}

function Writers({
  writers,
  store,
}: {
  readonly writers: readonly WriterStatus[];
  readonly store: string | undefined;
}) {
  const { reporter: words } = texts.value;
  const columns = words.writerColumns;
  const { count, span, bytes } = written();
  return (
    <section aria-labelledby="writers-title">
      <h2 id="writers-title">
        {words.writers} <span class="aside muted">{store}</span>
      </h2>
      <div class="table-box">
        <table class="cards">
          <caption class="visually-hidden">{words.writers}</caption>
          <thead>
            <tr>
              <th scope="col">{columns.writer}</th>
              <th scope="col">{columns.state}</th>
              <th scope="col">{columns.store}</th>
              {(['pending', 'oldest', 'restarts', 'journal'] as const).map((column) => (
                <th key={column} scope="col" class="right">
                  {columns[column]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {writers.map((writer) => (
              <tr key={writer.partition} data-writer={writer.partition}>
                <th scope="row">{writer.partition}</th>
                <td>
                  <State
                    tone={
                      writer.state === 'running'
                        ? 'ok'
                        : writer.state === 'failing'
                          ? 'overloaded'
                          : 'failing'
                    }
                    word={words.writerState[writer.state]}
                  />
                  {writer.full && <span class="tag alarm">{words.full}</span>}
                </td>
                <td title={writer.store.state === 'failing' ? writer.store.message : undefined}>
                  {writer.store.state === 'ok'
                    ? words.storeOk
                    : `${writer.store.class} (${writer.store.code})`}
                </td>
                <td class="right num" data-label={columns.pending}>
                  {count(writer.ledger.pending)}
                </td>
                <td class="right num" data-label={columns.oldest}>
                  {span(writer.oldestPendingSeconds)}
                </td>
                <td class="right num" data-label={columns.restarts}>
                  {count(writer.restarts)}
                </td>
                <td class="right num" data-label={columns.journal}>
                  {bytes(writer.journalBytes)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface InputProps {
  readonly known: ReporterAnswer;
  readonly traffic: ReporterStatus['traffic'];
}

function Input({ known, traffic }: InputProps) {
  const { reporter: words } = texts.value;
  const { count, bytes } = written();
  const rejected = Object.entries(traffic.framesRejected) as [keyof typeof traffic.framesRejected, number][];
  const all = rejected.reduce((sum, [, number]) => sum + number, 0);
  const reasons = rejected
    .filter(([, number]) => number > 0)
    .map(([reason, number]) => `${words.rejection[reason]} ${count(number)}`);
  return (
    <section aria-labelledby="input-title">
      <h2 id="input-title">{words.input}</h2>
      <dl class="tiles">
        <Fact name={words.frames} value={count(traffic.frames)} />
        <Fact name={words.reports} value={count(traffic.reports)} />
        <Fact name={words.rejectedFrames} value={count(all)} note={reasons.join(', ')} />
        <Fact name={words.empty} value={count(traffic.emptyReports)} />
        <Fact name={words.saturated} value={count(traffic.saturated)} />
        {known.inflightBytes !== undefined && (
          <Fact name={words.inflight} value={bytes(known.inflightBytes)} />
        )}
      </dl>
    </section>
  );
}

function ViewFacts({ view }: { readonly view: NonNullable<ReporterAnswer['view']> }) {
  const { reporter: words } = texts.value;
  const { count, span } = written();
  return (
    <section aria-labelledby="view-title">
      <h2 id="view-title">{words.view}</h2>
      <dl class="tiles">
        <Fact name={words.view} value={words.viewState[view.state]} />
        {view.counts && <Fact name={words.viewRows} value={count(view.counts.rows)} />}
        <Fact name={words.viewBehind} value={span(view.behindS)} />
        <Fact name={words.viewDropped} value={count(view.droppedRows)} />
        <Fact name={words.viewRestarts} value={count(view.restarts)} />
        {view.counts && <Fact name={words.mismatches} value={count(view.counts.mismatches)} />}
      </dl>
    </section>
  );
}
