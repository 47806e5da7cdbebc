import type { Snapshot } from '../snapshot.js';
import type { Standing } from '../standing.js';
import type { ViewState } from '../state.js';
import type { View } from '../view.js';

/** Services with series at most, but for those in trouble, which all have some. */
export const MAX_SERVICES_WITH_SERIES = 2000;
/** `failing`: from this level on, a service is in trouble. */
const IN_TROUBLE = 2;

const PREFIX = 'lars_reporter_';

type Series = readonly [
  name: string,
  type: 'gauge' | 'counter',
  help: string,
  read: (standing: Standing, state: ViewState) => number,
];

const SERIES: readonly Series[] = [
  [
    'service_level',
    'gauge',
    'How much is wrong with the service: 0 ok, 1 noted, 2 failing, 3 overloaded, 4 outage.',
    ({ level }) => level,
  ],
  [
    'service_calls_total',
    'counter',
    'Calls that its callers have counted, failed ones included; in steps of 10 s.',
    ({ service }, { services }) => Math.round(services.callsTotal[service]!),
  ],
  [
    'service_errors_total',
    'counter',
    'Calls of it that failed; in steps of 10 s.',
    ({ service }, { services }) => Math.round(services.errorsTotal[service]!),
  ],
  ['service_hosts', 'gauge', 'Hosts that are called.', ({ hosts }) => hosts],
  [
    'service_hosts_overloaded',
    'gauge',
    'Hosts that at least half of their callers hold for overloaded.',
    ({ overloaded }) => overloaded,
  ],
  ['service_callers', 'gauge', 'Machines that call it.', ({ fresh }) => fresh],
  [
    'service_callers_blacked_out',
    'gauge',
    'Machines that have no host left to call.',
    ({ blackedOut }) => blackedOut,
  ],
];

/**
 * GET /metrics/services: series of each service, as Prometheus text of format 0.0.4. Services that lists leave out have
 * none. Of more than there is room for, those in trouble have series, and the first ones by number: these stay the
 * same, while an order by trouble would begin and end series all the time.
 */
export function serviceSeries({ state, snapshots }: View): string {
  const { shown, omitted } = chosenOf(snapshots.current, state);
  const labels = shown.map((standing) => labelsOf(standing, state));
  const lines = SERIES.flatMap(([name, type, help, read]) => [
    ...headOf(name, type, help),
    ...shown.map((standing, index) => `${PREFIX}${name}${labels[index]} ${read(standing, state)}`),
  ]);
  lines.push(
    ...headOf('services_omitted', 'gauge', 'Services without series, because there are too many.'),
    `${PREFIX}services_omitted ${omitted}`,
  );
  return `${lines.join('\n')}\n`;
}

function chosenOf({ standings }: Snapshot, { services }: ViewState) {
  const known = standings.filter(
    // The number of a service that was forgotten may be another one's by now.
    ({ hidden, modid, cmdid, service }) => !hidden && services.find(modid, cmdid) === service,
  );
  if (known.length <= MAX_SERVICES_WITH_SERIES) return { shown: known, omitted: 0 };
  const troubled = known.filter(({ level }) => level >= IN_TROUBLE);
  const others = known
    .filter(({ level }) => level < IN_TROUBLE)
    .sort((a, b) => a.modid - b.modid || a.cmdid - b.cmdid)
    .slice(0, Math.max(0, MAX_SERVICES_WITH_SERIES - troubled.length));
  const shown = [...troubled, ...others];
  return { shown, omitted: known.length - shown.length };
}

function headOf(name: string, type: string, help: string): string[] {
  return [`# HELP ${PREFIX}${name} ${help}`, `# TYPE ${PREFIX}${name} ${type}`];
}

/** A label without a value is none, for Prometheus as here. */
function labelsOf({ modid, cmdid }: Standing, { nameOf }: ViewState): string {
  const name = nameOf(modid, cmdid);
  return `{modid="${modid}",cmdid="${cmdid}"${name === null ? '' : `,name="${escaped(name)}"`}}`;
}

function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll(/[\r\n]+/g, ' ');
}
