import type { ChangeKind, IncidentKind } from '../../view/shapes.js';

export type Of<Name extends string> = Readonly<Record<Name, string>>;
type OfIncidents = Of<IncidentKind | 'unknown'>;
/** Counts are given as numbers where words depend on them, and as written numbers and spans else. */
type Count = (count: number) => string;
type Counts = (first: number, second: number) => string;
export type Written = (text: string) => string;

/** What the single pages say. */
export interface PageTexts {
  readonly overview: Of<
    | 'title'
    | 'levels'
    | 'now'
    | 'lastChanges'
    | 'noChanges'
    | 'allChanges'
    | 'host'
    | 'caller'
    | 'showHidden'
    | 'caption'
    | 'flapping'
    | 'stripNothing'
  > & {
    readonly columns: Of<'state' | 'service' | 'hosts' | 'callers' | 'errors' | 'calls' | 'strip' | 'heard'>;
    readonly allWell: Count;
    readonly moreInTrouble: (count: number, newest: string | undefined) => string;
    readonly suspectHost: Counts;
    readonly suspectCaller: Count;
    readonly more: Count;
    readonly shown: (shown: string, total: string) => string;
    readonly agree: (hot: string, all: string) => string;
    readonly window: Count;
    readonly waiting: Count;
    readonly sortBy: Written;
    readonly strip: Written;
  };
  readonly service: Of<
    | 'nothing'
    | 'hosts'
    | 'callers'
    | 'errors'
    | 'calls'
    | 'plot'
    | 'plotSpan'
    | 'asTable'
    | 'noHistory'
    | 'time'
    | 'overloadedHosts'
    | 'level'
    | 'hostsCaption'
    | 'matrix'
    | 'matrixCaption'
    | 'matrixHelp'
    | 'legend'
    | 'raw'
    | 'rawClose'
    | 'rawTable'
    | 'incidents'
    | 'noIncidents'
    | 'running'
    | 'recovering'
    | 'copyLink'
    | 'csv'
    | 'copied'
  > & {
    readonly sentence: (level: string, span: string | null) => string;
    readonly hostsNote: Count;
    readonly callersNote: Counts;
    readonly windowNote: (minutes: number | null) => string;
    readonly plotOf: Of<'30m' | '24h' | '14d'>;
    readonly hostColumns: Of<
      'state' | 'host' | 'since' | 'agree' | 'flagged' | 'relapses' | 'errors' | 'calls' | 'lastCall'
    >;
    readonly omitted: Counts;
    readonly moreCallers: Count;
    readonly cell: (host: string, caller: string, verdict: string) => string;
    readonly rawWindow: Counts;
    readonly rawBefore: (ok: number, failed: number, span: string) => string;
    readonly rawFlag: (on: boolean) => string;
    readonly rawLastOn: Written;
    readonly rawHeard: Written;
    readonly rawVia: Written;
    readonly incidentColumns: Of<'what' | 'began' | 'lasted' | 'peak' | 'before' | 'first'>;
    readonly incidentKind: Of<IncidentKind>;
    readonly peak: Counts;
    readonly before: Counts;
  };
  readonly hosts: Of<
    'title' | 'lead' | 'caption' | 'suspect' | 'filter' | 'none' | 'look' | 'services' | 'port' | 'service'
  > & {
    readonly columns: Of<'host' | 'services' | 'overloaded' | 'disputed' | 'failing' | 'noted' | 'heard'>;
    readonly sentence: Counts;
  };
  readonly callers: Of<
    | 'title'
    | 'lead'
    | 'caption'
    | 'none'
    | 'all'
    | 'suspect'
    | 'shared'
    | 'skewed'
    | 'sentenceOk'
    | 'suspectText'
    | 'goneText'
    | 'tableText'
    | 'connectedText'
    | 'sharedText'
    | 'peer'
    | 'rows'
    | 'alone'
    | 'copyList'
  > & {
    readonly columns: Of<'caller' | 'state' | 'lone' | 'hot' | 'skew' | 'heard'>;
    readonly rowColumns: Of<'verdict' | 'service' | 'host' | 'others' | 'window' | 'heard'>;
    readonly ahead: Written;
    readonly behind: Written;
    readonly sentenceAlone: Counts;
    readonly sentenceHot: Count;
    readonly via: Written;
    readonly agreeWith: Counts;
    readonly more: Count;
  };
  readonly changes: Of<'title' | 'since' | 'kinds' | 'none' | 'older' | 'host' | 'caller' | 'service'> &
    Of<Exclude<ChangeKind, 'incident-began' | 'incident-ended' | 'reporter' | 'more'>> & {
      readonly chips: Of<'15m' | '1h' | '8h'>;
      readonly kind: Of<'all' | 'incidents' | 'callers' | 'hosts' | 'reporter'>;
      readonly began: OfIncidents;
      readonly ended: OfIncidents;
      readonly many: Count;
      readonly lasted: Written;
    };
  readonly reporter: Of<
    | 'title'
    | 'wellTitle'
    | 'problems'
    | 'means'
    | 'doc'
    | 'ledger'
    | 'balanced'
    | 'unbalanced'
    | 'flow'
    | 'rowsIn'
    | 'rowsStored'
    | 'perSecond'
    | 'pending'
    | 'flush'
    | 'uptime'
    | 'agents'
    | 'connections'
    | 'refused'
    | 'gone'
    | 'goneTitle'
    | 'goneLead'
    | 'goneNone'
    | 'sharedTitle'
    | 'writers'
    | 'storeOk'
    | 'full'
    | 'input'
    | 'frames'
    | 'reports'
    | 'empty'
    | 'saturated'
    | 'rejectedFrames'
    | 'inflight'
    | 'letters'
    | 'lettersNone'
    | 'replay'
    | 'drop'
    | 'cancel'
    | 'view'
    | 'viewRows'
    | 'viewBehind'
    | 'viewDropped'
    | 'viewRestarts'
    | 'mismatches'
    | 'store'
  > & {
    readonly ledgerNames: Of<
      'received' | 'recovered' | 'upserted' | 'coalesced' | 'rejected' | 'deadLettered' | 'pending'
    >;
    readonly oldest: Written;
    readonly writerColumns: Of<'writer' | 'state' | 'store' | 'pending' | 'oldest' | 'restarts' | 'journal'>;
    readonly writerState: Of<'recovering' | 'running' | 'restarting' | 'failing'>;
    readonly rejection: Of<'length' | 'undecodable' | 'unknown-id' | 'incomplete' | 'handler'>;
    readonly lettersColumns: Of<'code' | 'rows' | 'example' | 'actions'>;
    readonly confirmReplay: (count: number, code: string) => string;
    readonly confirmDrop: (count: number, code: string) => string;
    readonly replayed: Count;
    readonly dropped: Count;
    readonly viewState: Of<'off' | 'starting' | 'warming' | 'live'>;
  };
  readonly help: Of<'title' | 'keysTitle' | 'levelsTitle' | 'readTitle'> & {
    readonly keys: readonly (readonly [key: string, does: string])[];
    readonly read: readonly string[];
  };
}
