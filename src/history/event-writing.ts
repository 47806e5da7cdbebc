import { type Change, type HistoryFile, NOTHING } from './history-file.js';
import { endedKey, idKey, idOf } from './history-keys.js';
import {
  decodeEvent,
  decodeIncident,
  encodeEvent,
  encodeIncident,
  type PastEvent,
  type PastIncident,
} from './kept-records.js';

/** So many are looked at, the newest ones, when the clock was set back. */
const MOST_PUT_BACK = 5_000;

export function eventChanges(event: PastEvent): Change {
  return { table: 'events', key: idKey(event.id), value: encodeEvent(event) };
}

export function incidentChanges(incident: PastIncident): Change[] {
  const { id, endedS } = incident;
  const key = idKey(id);
  const whole: Change = { table: 'incidents', key, value: encodeIncident(incident) };
  if (endedS === 0) return [whole, { table: 'open', key, value: NOTHING }];
  return [whole, { table: 'open', key }, { table: 'ended', key: endedKey(endedS, id), value: NOTHING }];
}

/** What is to be changed so that nothing has happened in the future: the clock was ahead, and has been set. */
export function pastedTimes(file: HistoryFile, nowS: number): Change[] {
  const changes: Change[] = [];
  const newest = { isReverse: true, limit: MOST_PUT_BACK };
  for (const { key, value } of file.range('events', newest)) {
    const event = decodeEvent(idOf(key), value);
    if (event.atS > nowS) changes.push(eventChanges({ ...event, atS: nowS }));
  }
  for (const { key, value } of file.range('incidents', newest)) {
    const incident = decodeIncident(idOf(key), value);
    const { id, beganS, endedS, lastS } = incident;
    if (Math.max(beganS, endedS, lastS) <= nowS) continue;
    if (endedS > nowS) changes.push({ table: 'ended', key: endedKey(endedS, id) });
    const past = {
      beganS: Math.min(beganS, nowS),
      endedS: Math.min(endedS, nowS),
      lastS: Math.min(lastS, nowS),
    };
    changes.push(...incidentChanges({ ...incident, ...past }));
  }
  return changes;
}
