import { CMDID, IP, MODID, PORT } from '../model/row.js';
import { HOST, NEXT, PAIR, ROW_WORDS } from './caller-rows.js';
import { NEXT_OF_SERVICE, NEXT_OF_VOICE, PAIR_ROWS, PAIR_WORDS } from './pairs.js';
import type { ViewState } from './state.js';

/** A new row for the key at `from[at]` and a voice, with all it belongs to. It counts nowhere before it has bits. */
export function addRow(state: ViewState, from: Int32Array, at: number, ip: number): number {
  const { rows, hosts, services, voices, pairs } = state;
  const host = hostAt(state, from, at);
  const service = hosts.service[host]!;
  const voice = voices.of(ip);
  const row = rows.add(host, voice);
  const { words } = rows.records;
  const base = row * ROW_WORDS;
  words[base + HOST] = host;
  const pair = pairOf(state, service, voice);
  words[base + PAIR] = pair;
  words[base + NEXT] = hosts.firstRow[host]!;
  hosts.firstRow[host] = row + 1;
  pairs.records.words[pair * PAIR_WORDS + PAIR_ROWS]!++;
  voices.rows[voice]!++;
  // Also one that is stale already may make its host another: what was known of hosts without callers is void.
  services.epoch[service]!++;
  services.markDirty(service);
  return row;
}

function hostAt({ hosts, services, now }: ViewState, from: Int32Array, at: number): number {
  const modid = from[at + MODID]!;
  const cmdid = from[at + CMDID]!;
  const ip = from[at + IP]!;
  const port = from[at + PORT]!;
  const known = hosts.find(modid, cmdid, ip, port);
  if (known >= 0) return known;
  const found = services.find(modid, cmdid);
  const service = found >= 0 ? found : services.add(modid, cmdid, now);
  const host = hosts.add(modid, cmdid, ip, port, service);
  services.hostsOf[service]!.push(host);
  services.markDirty(service);
  return host;
}

function pairOf({ pairs, services, voices }: ViewState, service: number, voice: number): number {
  const { records } = pairs;
  const known = records.find(service, voice);
  if (known >= 0) return known;
  const pair = records.add(service, voice);
  const base = pair * PAIR_WORDS;
  records.words[base + NEXT_OF_SERVICE] = services.firstPair[service]!;
  services.firstPair[service] = pair + 1;
  records.words[base + NEXT_OF_VOICE] = voices.firstPair[voice]!;
  voices.firstPair[voice] = pair + 1;
  services.voices[service]!++;
  services.markDirty(service);
  return pair;
}
