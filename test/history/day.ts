import { cpSync } from 'node:fs';
import path from 'node:path';
import { formatIpv4 } from '../../src/model/ipv4.js';
import { RowBatch, TAG, WORDS_PER_ROW } from '../../src/model/row.js';
import { type Condition, World } from '../../src/simulation/index.js';
import { rowsOf } from '../../src/testing/rows.js';
import { View } from '../../src/view/view.js';
import { Keeping } from '../../src/view/worker/keeping.js';

export interface DayOptions {
  readonly dir: string;
  readonly seconds: number;
  readonly conditions: readonly Condition[];
  readonly agents: number;
  readonly hosts: number;
  readonly services: number;
  readonly callsPerSecond: number;
  /** The process is killed at these seconds, and the next one starts so many seconds later. */
  readonly crashes: readonly { readonly at: number; readonly awayS: number }[];
  /** Or hands over to the next one. */
  readonly handOvers?: readonly number[];
}

/** A view with a history, and what is to be had of both. */
export interface Day {
  readonly world: World;
  readonly startS: number;
  readonly view: View;
  readonly keeping: Keeping;
  /** Seconds at which some agent said that a host is overloaded, by `ip:port`, whether somebody heard it or not. */
  readonly flagged: ReadonlyMap<string, readonly number[]>;
}

/**
 * Model agents report to a view that keeps a history, all on one clock. A process that is killed leaves its history as
 * it is on disk at that moment; the next one goes on with a copy of that.
 */
export async function liveThrough(options: DayOptions): Promise<Day> {
  const { dir, seconds, crashes, handOvers = [], ...rest } = options;
  const world = new World({ ...rest, errorShare: 0.001, seed: 7 });
  const startS = world.startMs / 1000;
  const flagged = new Map<string, number[]>();
  let lives = 0;
  const begin = (second: number) => {
    const view = new View({ startS: startS + second });
    const numbers = Array.from({ length: rest.agents }, (_, agent) =>
      view.peer(formatIpv4(world.addresses.caller(agent))),
    );
    const keeping = new Keeping(view, { dir: path.join(dir, `${lives}`), maxBytes: 1_073_741_824 });
    return { view, numbers, keeping };
  };
  let { view, numbers, keeping } = begin(0);
  let awayUntil = 0;
  for (let second = 1; second <= seconds; second++) {
    const reports = [...world.reportsUntil(second * 1000 - 1)];
    for (const { report } of reports)
      for (const { ip, port, overload } of rowsOf(report)) {
        if (!overload) continue;
        const name = `${formatIpv4(ip)}:${port}`;
        flagged.set(name, flagged.get(name) ?? []);
        flagged.get(name)?.push(second - 1);
      }
    const crash = crashes.find(({ at }) => at === second);
    if (crash) {
      cpSync(path.join(dir, `${lives}`), path.join(dir, `${lives + 1}`), { recursive: true });
      await keeping.close();
      lives++;
      awayUntil = second + crash.awayS;
    }
    if (second < awayUntil) continue;
    if (second === awayUntil) ({ view, numbers, keeping } = begin(second - 1));
    if (handOvers.includes(second)) {
      await keeping.close();
      ({ view, numbers, keeping } = begin(second - 1));
    }
    view.tick(startS + second - 1);
    for (const { agent, report } of reports) {
      const { words } = RowBatch.from(rowsOf(report));
      for (let at = 0; at < words.length; at += WORDS_PER_ROW) words[at + TAG]! |= 1 << 1;
      view.live(words, [0, numbers[agent]!], startS + second - 1);
    }
    view.tick(startS + second);
    await keeping.tick();
  }
  return { world, startS, view, keeping, flagged };
}
