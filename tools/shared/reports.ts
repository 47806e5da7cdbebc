import type { Report } from '../../src/index.js';

/** The report of one round of a caller: its number stands in `succ` of every host. */
export function roundOf(caller: number, round: number, hosts = 2): Report {
  return {
    modid: 7,
    cmdid: 1,
    caller,
    ts: 1_795_331_921,
    results: Array.from({ length: hosts }, (_, host) => ({
      ip: 0xc0a80001 + host,
      port: 8000 + host,
      succ: round,
      err: round % 7,
      overload: (round >> 2) % 2 === 1,
    })),
  };
}
