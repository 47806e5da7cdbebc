import { parseIpv4 } from '../../src/model/ipv4.js';
import { type Row, RowBatch, TAG, WORDS_PER_ROW } from '../../src/model/row.js';
import { View } from '../../src/view/view.js';
import type { ViewSettings } from '../../src/view/view-settings.js';

/** 2026-11-27T02:00:00Z */
export const START = 1_795_744_800;

export const ip = (text: string): number => parseIpv4(text)!;

export interface Said {
  readonly modid?: number;
  readonly cmdid?: number;
  readonly caller?: string;
  /** Address the report comes from; that of the caller unless given, null when it is not known. */
  readonly peer?: string | null;
  /** Less than now by so many seconds. */
  readonly lateS?: number;
  readonly hosts: Readonly<Record<string, readonly [succ: number, err: number, overload?: boolean]>>;
}

/** A view with a clock that a test moves. It ticks each second. */
export class World {
  readonly view: View;
  now = START;

  constructor(settings: Partial<ViewSettings> = {}, names: Readonly<Record<string, string>> = {}) {
    const nameOf = (modid: number, cmdid: number) => names[`${modid}/${cmdid}`] ?? null;
    this.view = new View({ settings, nameOf, startS: START });
    this.view.tick(START);
  }

  /** One report is journaled now. */
  say(said: Said): void {
    const { caller = '10.9.0.1', peer = caller } = said;
    const rows = RowBatch.from(rowsOf(said, this.now)).words.slice();
    const number = peer === null ? 0 : this.view.peer(peer);
    for (let at = 0; at < rows.length; at += WORDS_PER_ROW) rows[at + TAG]! |= 1 << 1;
    this.view.live(rows, [0, number], this.now);
  }

  /** These rows are read from the table now. */
  read(said: Said, missedUntilS?: number) {
    return this.view.table(RowBatch.from(rowsOf(said, this.now)).words, this.now, missedUntilS);
  }

  /** So many seconds pass; `each` happens in every one of them. */
  pass(seconds: number, each?: (second: number) => void): void {
    for (let second = 0; second < seconds; second++) {
      this.now++;
      this.view.tick(this.now);
      each?.(second);
    }
    this.view.tick(this.now);
  }

  tick(): void {
    this.view.tick(this.now);
  }
}

export function rowsOf(
  { modid = 1, cmdid = 2, caller = '10.9.0.1', lateS = 0, hosts }: Said,
  now: number,
): Row[] {
  return Object.entries(hosts).map(([host, [succ, err, overload = false]]) => {
    const [address = '', port = '80'] = host.split(':');
    return {
      modid,
      cmdid,
      ip: ip(address),
      port: Number(port),
      caller: ip(caller),
      succ,
      err,
      ts: now - lateS,
      overload,
    };
  });
}

/** Epoch seconds of an answer's time. */
export const seconds = (time: string | null): number | null =>
  time === null ? null : Date.parse(time) / 1000;
