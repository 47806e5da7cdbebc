import type { HistoryAnswer } from '../view/history-shapes.js';
import type { ViewPath } from '../view/live.js';
import type {
  CallerAnswer,
  CallersAnswer,
  Change,
  ChangesAnswer,
  HostAnswer,
  HostRow,
  HostsAnswer,
  Incident,
  IncidentsAnswer,
  ServiceAnswer,
  ServicesAnswer,
  Summary,
  Voice,
} from '../view/shapes.js';

type Cell = string | number | boolean | null;
type Columns<Row> = Readonly<Record<string, (row: Row) => Cell>>;
type PlainName<Row> = { [Name in keyof Row]: Row[Name] extends Cell ? Name : never }[keyof Row] & string;

/** A list of an answer, as text: RFC 4180, with a head line; empty cells are not known. */
export function csvOf(path: ViewPath, json: string): string {
  return TABLES[path](json);
}

/** Columns that are fields of their rows. */
function plain<Row extends object>(...names: readonly PlainName<Row>[]): Columns<Row> {
  const columns: Record<string, (row: Row) => Cell> = {};
  // What PlainName lets through is a cell.
  for (const name of names) columns[name] = (row) => row[name] as Cell;
  return columns;
}

export function table<Row>(columns: Columns<Row>, rows: readonly Row[]): string {
  const lines = [Object.keys(columns), ...rows.map((row) => Object.values(columns).map((read) => read(row)))];
  return lines.map((cells) => `${cells.map(quoted).join(',')}\r\n`).join('');
}

/** Texts that a spreadsheet would take for a formula get an apostrophe in front. */
function quoted(cell: Cell): string {
  if (typeof cell !== 'string') return cell === null ? '' : String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

interface HasCalls {
  readonly calls: Summary['calls'];
}

const CALLS: Columns<HasCalls> = {
  callsPerSecond: ({ calls }) => calls.perSecond,
  errorsPerSecond: ({ calls }) => calls.errorsPerSecond,
  errorShare: ({ calls }) => calls.errorShare,
  errorWindowS: ({ calls }) => calls.windowS,
};

const SUMMARIES: Columns<Summary> = {
  ...plain<Summary>('modid', 'cmdid', 'name', 'level', 'trouble', 'state', 'flapping', 'since'),
  why: ({ reasons }) => reasons.map(({ text }) => text).join('; '),
  hosts: ({ hosts }) => hosts.total,
  hostsOverloaded: ({ hosts }) => hosts.overloaded,
  hostsDisputed: ({ hosts }) => hosts.disputed,
  hostsFailing: ({ hosts }) => hosts.failing,
  hostsNoted: ({ hosts }) => hosts.noted,
  hostsWithdrawn: ({ hosts }) => hosts.withdrawn,
  hostsStale: ({ hosts }) => hosts.stale,
  callers: ({ callers }) => callers.fresh,
  callersAffected: ({ callers }) => callers.affected,
  callersBlackedOut: ({ callers }) => callers.blackedOut,
  callersSilent: ({ callers }) => callers.silent,
  ...CALLS,
  ...plain<Summary>('lastHeard'),
};

type HostOf = ServiceAnswer['hosts'][number];

const HOSTS: Columns<HostOf> = {
  ...plain<HostOf>('ip', 'port', 'state', 'agree', 'hot', 'flaggedNow', 'callers', 'recovering', 'since'),
  ...plain<HostOf>('relapses', 'flapping'),
  callsBefore: ({ before }) => before?.calls ?? null,
  errorsBefore: ({ before }) => before?.errors ?? null,
  ...CALLS,
  ...plain<HostOf>('lastHeard', 'lastCall'),
};

const ROWS: Columns<HostRow> = {
  ...plain<HostRow>('modid', 'cmdid', 'host', 'caller', 'via', 'verdict', 'overload', 'succ', 'err'),
  previousSucc: ({ previous }) => previous?.succ ?? null,
  previousErr: ({ previous }) => previous?.err ?? null,
  previousEndedAt: ({ previous }) => previous?.endedAt ?? null,
  ...plain<HostRow>('ts', 'heard', 'lastOn', 'changed', 'source'),
};

const INCIDENTS: Columns<Incident> = {
  ...plain<Incident>('id', 'kind', 'modid', 'cmdid', 'host', 'began', 'ended', 'peakHot', 'callers'),
  relapses: ({ relapses }) => relapses,
  callsBefore: ({ before }) => before.calls,
  errorsBefore: ({ before }) => before.errors,
  ...plain<Incident>('firstCaller'),
};

const VOICES = plain<Voice>(
  ...(['caller', 'via', 'state', 'heard', 'lastPeer', 'skewS', 'shared', 'hot', 'lone', 'suspect'] as const),
);
const ADDRESSES = plain<HostsAnswer['hosts'][number]>(
  ...(['ip', 'services', 'overloaded', 'disputed', 'failing', 'noted', 'suspect', 'lastHeard'] as const),
);
const CHANGES = plain<Change>(
  ...(['id', 'at', 'kind', 'modid', 'cmdid', 'name', 'host', 'caller', 'incident', 'text'] as const),
);

/** The list that an answer is about. What a path answers is what its type says. */
const TABLES: Readonly<Record<ViewPath, (json: string) => string>> = {
  '/api/services': (json) => table(SUMMARIES, (JSON.parse(json) as ServicesAnswer).services),
  '/api/services/:modid/:cmdid': (json) => {
    const { hosts, rows } = JSON.parse(json) as ServiceAnswer;
    return rows ? table(ROWS, rows) : table(HOSTS, hosts);
  },
  '/api/hosts': (json) => table(ADDRESSES, (JSON.parse(json) as HostsAnswer).hosts),
  '/api/hosts/:ip': (json) =>
    table(
      { ...plain<HostAnswer['hosts'][number]>('modid', 'cmdid', 'name'), ...HOSTS },
      (JSON.parse(json) as HostAnswer).hosts,
    ),
  '/api/callers': (json) => table(VOICES, (JSON.parse(json) as CallersAnswer).voices),
  '/api/callers/:ip': (json) =>
    table(
      {
        ...ROWS,
        ...plain<CallerAnswer['rows'][number]>('name', 'state', 'agree', 'hot', 'callers', 'lone'),
      },
      (JSON.parse(json) as CallerAnswer).rows,
    ),
  '/api/changes': (json) => table(CHANGES, (JSON.parse(json) as ChangesAnswer).events),
  '/api/incidents': (json) => table(INCIDENTS, (JSON.parse(json) as IncidentsAnswer).incidents),
  '/api/history': (json) => {
    const { t, calls, errs, overloaded, callers, hot, level, coverage } = JSON.parse(json) as HistoryAnswer;
    const columns = { calls, errs, overloaded, callers, hot, level, coverage };
    return table<number>(
      {
        t: (point) => t[point] ?? null,
        ...Object.fromEntries(
          Object.entries(columns).map(([name, values]) => [name, (point: number) => values[point] ?? null]),
        ),
      },
      [...t.keys()],
    );
  },
};
