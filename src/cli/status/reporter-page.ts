import type { ReporterAnswer } from '../../admin/reporter-routes.js';
import { counted, headerLines } from './header-lines.js';
import { ago, span } from './spans.js';
import { clean, type Medium, painted, separator, unknown } from './terminal-style.js';

/** The reporter itself: what is wrong and what that means, then its numbers. */
export function reporterPage(reporter: ReporterAnswer, medium: Medium): string[] {
  const { problems, asOf } = reporter;
  const [header = ''] = headerLines(reporter, undefined, undefined, medium);
  return [
    header,
    '',
    ...(problems.length === 0 ? ['nothing is wrong'] : []),
    ...problems.flatMap(({ code, severity, since, text, means, doc }) => [
      painted(
        `${severity}: ${code} for ${ago(since, asOf)}: ${clean(text, medium)}`,
        severity === 'critical' ? 'bad' : severity === 'warning' ? 'warn' : 'note',
        medium,
      ),
      `  ${clean(means, medium)} See ${doc}`,
    ]),
    '',
    ...facts(reporter, medium).map(([name, text]) => `${name.padEnd(NAME_WIDTH)}${text}`),
  ];
}

const NAME_WIDTH = 13;

function facts(reporter: ReporterAnswer, medium: Medium): [name: string, text: string][] {
  const { ledger, rates, flush, agents, traffic, writers, view, version, uptimeS, store } = reporter;
  const none = unknown(medium);
  const ms = (value: number | null) => (value === null ? none : `${Math.round(value)} ms`);
  const oldestS = Math.max(0, ...writers.map(({ oldestPendingSeconds }) => oldestPendingSeconds));
  const rejected = Object.entries(traffic.framesRejected).filter(([, count]) => count > 0);
  const join = (...parts: string[]) => parts.join(separator(medium));
  return [
    ['version', join(version, `up ${span(uptimeS)}`)],
    [
      'ledger',
      `${ledger.received} received + ${ledger.recovered} recovered = ${ledger.upserted} stored + ` +
        `${ledger.coalesced} replaced + ${ledger.rejected} rejected + ${ledger.deadLettered} dead + ${ledger.pending} pending` +
        (ledger.balanced ? '' : ' (does not balance)'),
    ],
    ['rates', join(`${rates.rowsIn} rows/s in`, `${rates.rowsStored} rows/s stored`)],
    ['pending', join(counted(ledger.pending, 'row'), `oldest ${span(oldestS)}`)],
    [
      'store',
      join(
        clean(store, medium),
        `statements ${ms(flush.p50Ms)}, slow ones ${ms(flush.p99Ms)}`,
        `${flush.rowsP50 ?? none} rows each`,
      ),
    ],
    [
      'writers',
      writers
        .map(
          ({ partition, state, restarts }) =>
            `${partition} ${state}${restarts > 0 ? ` (${restarts} restarts)` : ''}`,
        )
        .join(', ') || none,
    ],
    [
      'agents',
      join(
        counted(agents.connections, 'connection'),
        `${traffic.refused} refused`,
        `${agents.voices ?? none} machines known`,
        `${agents.gone ?? none} gone`,
      ),
    ],
    ...tlsFacts(reporter, join),
    [
      'bad frames',
      rejected.length === 0 ? '0' : rejected.map(([reason, count]) => `${count} ${reason}`).join(', '),
    ],
    ['dead letters', String(reporter.deadLetters)],
    [
      'view',
      join(
        view.state,
        `${view.counts?.rows ?? none} rows`,
        `${span(view.behindS)} behind`,
        `${view.droppedRows} rows dropped`,
        `${view.restarts} restarts`,
      ),
    ],
    ['event loop', `${Math.round(reporter.loopLagP99Ms)} ms late at times`],
  ];
}

/** Of agents with TLS; nothing where none is spoken. */
function tlsFacts(
  { tls, traffic }: ReporterAnswer,
  join: (...parts: string[]) => string,
): [name: string, text: string][] {
  if (!tls) return [];
  const failed = Object.entries(traffic.tls.failed).filter(([, count]) => count > 0);
  return [
    [
      'tls',
      join(
        counted(traffic.tls.connections, 'connection'),
        `${counted(traffic.tls.handshakes, 'handshake')}`,
        failed.length === 0
          ? '0 failed'
          : `failed: ${failed.map(([reason, count]) => `${count} ${reason}`).join(', ')}`,
        `certificate until ${tls.validTo.slice(0, 10)}`,
      ),
    ],
  ];
}
