import { byteColumn, int32Column } from './columns.js';
import type { Run } from './incidents.js';
import { MinuteRing } from './minutes.js';
import { Rates } from './rates.js';
import type { HostState } from './shapes.js';
import { Records } from './slots.js';

/** Words of a host's key: modid, cmdid, ip, port. */
export const HOST_WORDS = 4;

/** Words of an address: it, and how many hosts have it. */
export const ADDRESS_WORDS = 2;
const ADDRESS_HOSTS = 1;

/** Codes of the column `state`: worse ones are larger. */
export const HOST_STATE_OF: readonly (HostState | null)[] = [
  null,
  'idle',
  'ok',
  'withdrawn',
  'stale',
  'noted',
  'failing',
  'disputed',
  'overloaded',
];
/** Not looked at yet. */
export const UNSEEN = 0;
export const IDLE = 1;
export const OK = 2;
export const WITHDRAWN = 3;
export const STALE = 4;
export const NOTED = 5;
export const FAILING = 6;
export const DISPUTED = 7;
export const OVERLOADED = 8;

/** Fields of a minute of a host. */
export const HOST_MINUTE = { calls: 0, errors: 1, hot: 2, callers: 3 } as const;

/** Hosts of services: one for each (modid, cmdid, ip, port), with its rows counted. */
export class Hosts {
  readonly records = new Records(4);
  service = int32Column(0);
  /** IP addresses of hosts, numbered; a host is one port of one service. */
  readonly addresses = new Records(1, ADDRESS_WORDS);
  /** Number of its address. */
  address = int32Column(0);
  /** First of its rows, plus 1. */
  firstRow = int32Column(0);
  /** Fresh rows. */
  callers = int32Column(0);
  /** Hot rows. */
  hot = int32Column(0);
  /** Fresh rows with the flag. */
  flagged = int32Column(0);
  /** Fresh rows with a counted call. */
  counted = int32Column(0);
  heard = int32Column(0);
  /** Second a call was last counted; 0 = never. */
  lastCall = int32Column(0);
  state = byteColumn(0);
  /** 1 when a hot row on it is a lone complaint. */
  lonely = byteColumn(0);
  /** What is known of it while its callers are 0: 1 some row is stale, 0 none is; valid for the epoch beside. */
  hasStale = byteColumn(0);
  epoch = int32Column(0);
  /** The time since it became hot, while it is. */
  readonly runs: (Run | undefined)[] = [];
  readonly rates: Rates;
  readonly minutes = new MinuteRing(Object.keys(HOST_MINUTE).length);

  constructor(bucket: number) {
    this.rates = new Rates(bucket);
    this.#resize();
  }

  find(modid: number, cmdid: number, ip: number, port: number): number {
    return this.records.find(modid, cmdid, ip, port);
  }

  add(modid: number, cmdid: number, ip: number, port: number, service: number): number {
    const { high } = this.records;
    const host = this.records.add(modid, cmdid, ip, port);
    if (this.records.capacity > this.service.length) this.#resize();
    for (const column of [this.firstRow, this.callers, this.hot, this.flagged, this.counted])
      column[host] = 0;
    for (const column of [this.heard, this.lastCall, this.epoch]) column[host] = 0;
    this.service[host] = service;
    this.address[host] = this.#holdAddress(ip);
    this.state[host] = UNSEEN;
    this.lonely[host] = 0;
    this.hasStale[host] = 0;
    this.runs[host] = undefined;
    // Two hundred places in memory: only where another host has been before.
    if (host < high) {
      this.rates.clear(host);
      this.minutes.clear(host);
    }
    return host;
  }

  remove(host: number): void {
    const address = this.address[host]!;
    const at = address * ADDRESS_WORDS + ADDRESS_HOSTS;
    this.addresses.words[at]!--;
    if (this.addresses.words[at] === 0) this.addresses.remove(address);
    this.records.remove(host);
  }

  #holdAddress(ip: number): number {
    const known = this.addresses.find(ip);
    const address = known >= 0 ? known : this.addresses.add(ip);
    this.addresses.words[address * ADDRESS_WORDS + ADDRESS_HOSTS]!++;
    return address;
  }

  ip(host: number): number {
    return this.records.words[host * HOST_WORDS + 2]!;
  }

  port(host: number): number {
    return this.records.words[host * HOST_WORDS + 3]!;
  }

  /** Share of the fresh callers that hold it for overloaded. */
  agree(host: number): number {
    const callers = this.callers[host]!;
    return callers === 0 ? 0 : this.hot[host]! / callers;
  }

  keepMinute(minute: number): void {
    this.minutes.push(
      minute,
      [this.rates.calls60, this.rates.errors60, this.hot, this.callers],
      this.records.high,
    );
  }

  #resize(): void {
    const { capacity } = this.records;
    this.service = int32Column(capacity, this.service);
    this.address = int32Column(capacity, this.address);
    this.firstRow = int32Column(capacity, this.firstRow);
    this.callers = int32Column(capacity, this.callers);
    this.hot = int32Column(capacity, this.hot);
    this.flagged = int32Column(capacity, this.flagged);
    this.counted = int32Column(capacity, this.counted);
    this.heard = int32Column(capacity, this.heard);
    this.lastCall = int32Column(capacity, this.lastCall);
    this.state = byteColumn(capacity, this.state);
    this.lonely = byteColumn(capacity, this.lonely);
    this.hasStale = byteColumn(capacity, this.hasStale);
    this.epoch = int32Column(capacity, this.epoch);
    this.rates.resize(capacity);
    this.minutes.resize(capacity);
  }
}
