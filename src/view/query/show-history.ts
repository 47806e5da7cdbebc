import type { HistoryReader } from '../../history/history-reader.js';
import type { Tally } from '../../history/kept-records.js';
import { HOSTS, merged, OF_HOST, OF_SERVICE, SERVICES } from '../../history/tallies.js';
import { HISTORY_STEPS, type HistoryAnswer, type HistoryStep } from '../history-shapes.js';
import { BUCKET_S } from '../rates.js';
import type { View } from '../view.js';
import { headOf } from './head.js';
import { isoOf } from './incident-answer.js';
import { Parameters, Unanswerable } from './parameters.js';

export const HISTORY_PARAMETERS = ['modid', 'cmdid', 'host', 'from', 'to', 'step'] as const;
const MOST_POINTS = 1_500;
const MINUTE_S = 60;
const TEN_MINUTES_S = 600;
const DEFAULT_SPAN_S = 1_800;
const OVERLOADED_SHARE = 0.5;
const STEPS = Object.keys(HISTORY_STEPS) as HistoryStep[];

/** A point of time, before it is answered. Undefined: nothing is known. */
interface Point {
  readonly tally: Tally | undefined;
  readonly coveredS: number;
}

/** GET /api/history. Throws `Unanswerable`. */
export function showHistory(view: View, query: URLSearchParams, past?: HistoryReader): HistoryAnswer {
  const asked = new Parameters(query, HISTORY_PARAMETERS);
  const { clock, now } = view.state;
  const [modid, cmdid, host] = [asked.int32('modid'), asked.int32('cmdid'), asked.host('host')];
  if (modid === undefined || cmdid === undefined)
    throw new Unanswerable(400, 'modid and cmdid are to be given, both');
  if (host && host.port === undefined) throw new Unanswerable(400, 'host is to be given with its port');
  const to = asked.time('to', clock.toWall(now)) ?? clock.toWall(now);
  const from = asked.time('from', clock.toWall(now)) ?? to - DEFAULT_SPAN_S;
  const [step = stepFor(to - from), ...more] = asked.words('step', STEPS) ?? [];
  if (more.length > 0) throw new Unanswerable(400, `step is to be one of ${STEPS.join(', ')}`);
  if (to <= from) throw new Unanswerable(400, 'to is to be later than from');
  const stepS = HISTORY_STEPS[step];
  const first = Math.floor(from / stepS);
  const count = Math.ceil(to / stepS) - first;
  if (count > MOST_POINTS)
    throw new Unanswerable(400, `step is too short: ${MOST_POINTS} points can be answered, not ${count}`);
  const key = host ? [modid, cmdid, host.ip, host.port!] : [modid, cmdid];
  const read = step === '10s' ? fromMemory(view, key) : fromHistory(past, key, stepS, first, count);
  const points = Array.from({ length: count }, (_, index) => read((first + index) * stepS));
  if (points.every(({ tally }) => !tally) && view.state.services.find(modid, cmdid) < 0)
    throw new Unanswerable(404, `no agent has reported service ${modid}/${cmdid}`);
  return {
    ...{ ...headOf(view), step, from: isoOf(first * stepS) },
    t: points.map((_, index) => isoOf((first + index) * stepS)),
    ...valuesOf(points, host !== undefined, stepS),
    coverage: points.map(({ coveredS }) => Math.min(1, Math.round((coveredS / stepS) * 1000) / 1000)),
  };
}

function stepFor(spanS: number): HistoryStep {
  const fits = STEPS.filter((step) => HISTORY_STEPS[step] >= MINUTE_S);
  return fits.find((step) => spanS / HISTORY_STEPS[step] < MOST_POINTS) ?? '1h';
}

function valuesOf(points: readonly Point[], isHost: boolean, stepS: number) {
  const places = isHost ? OF_HOST : OF_SERVICE;
  /** Two clocks, one after the other, may both have seen a minute. */
  const scaled = (value: number, coveredS: number) =>
    coveredS > stepS ? Math.round((value * stepS) / coveredS) : value;
  const read = (one: (tally: Tally, coveredS: number) => number | null, unknown: number | null) =>
    points.map(({ tally, coveredS }) =>
      coveredS === 0 ? null : tally === undefined ? unknown : one(tally, coveredS),
    );
  // Of a host, minutes without trouble are not kept: its calls are not known then.
  const none = isHost ? null : 0;
  return {
    calls: read((tally, coveredS) => scaled(tally[places.calls]!, coveredS), none),
    errs: read((tally, coveredS) => scaled(tally[places.errors]!, coveredS), none),
    overloaded: read(
      (tally) =>
        isHost
          ? Number(tally[OF_HOST.hot]! >= OVERLOADED_SHARE * Math.max(1, tally[OF_HOST.callers]!))
          : tally[OF_SERVICE.overloaded]!,
      0,
    ),
    callers: read((tally) => tally[places.callers]!, none),
    hot: read((tally) => tally[places.hot]!, 0),
    level: read((tally) => (isHost ? null : tally[OF_SERVICE.level]!), none),
  };
}

type ReadPoint = (atS: number) => Point;

function fromHistory(
  past: HistoryReader | undefined,
  key: Tally,
  stepS: number,
  first: number,
  count: number,
): ReadPoint {
  if (!past) return () => ({ tally: undefined, coveredS: 0 });
  const minutes = stepS / MINUTE_S;
  const covered = past.coverage(first * minutes, (first + count) * minutes - 1);
  const isHost = key.length > 2;
  // Hosts are kept by the minute alone.
  const partS = stepS >= TEN_MINUTES_S && !isHost ? TEN_MINUTES_S : MINUTE_S;
  const layout = isHost ? HOSTS : SERVICES;
  return (atS) => {
    const from = atS / MINUTE_S - first * minutes;
    const coveredS = covered.slice(from, from + minutes).reduce((sum, seconds) => sum + seconds, 0);
    if (coveredS === 0) return { tally: undefined, coveredS };
    let tally: Tally | undefined;
    for (let at = atS; at < atS + stepS; at += partS) {
      const minute = at / MINUTE_S;
      if (partS === MINUTE_S && covered[minute - first * minutes] === 0) continue;
      const part =
        partS === TEN_MINUTES_S
          ? past.ten(minute, key)
          : past.minute(isHost ? 'hosts' : 'minutes', minute, key);
      if (part) tally = tally ? merged(layout, tally, part) : part;
    }
    return { tally, coveredS };
  };
}

/** The last five minutes by ten seconds: calls and errors alone; what else there is, is of the moment. */
function fromMemory({ state }: View, key: Tally): ReadPoint {
  const { clock, services, hosts } = state;
  const [modid = 0, cmdid = 0, ip, port] = key;
  const isHost = ip !== undefined && port !== undefined;
  const number = isHost ? hosts.find(modid, cmdid, ip, port) : services.find(modid, cmdid);
  const rates = isHost ? hosts.rates : services.rates;
  return (atS) => {
    const bucket =
      number < 0 ? undefined : rates.bucketAt(number, Math.floor(clock.fromWall(atS) / BUCKET_S));
    if (!bucket) return { tally: undefined, coveredS: 0 };
    const { calls, errors } = bucket;
    const tally = isHost
      ? [modid, cmdid, ip, port, calls, errors, 0, 0]
      : [modid, cmdid, calls, errors, 0, 0, 0, 0, 0, 0];
    return { tally, coveredS: BUCKET_S };
  };
}
