import { connectAgent } from '../../src/client/index.js';
import type { Report } from '../../src/model/report.js';

export interface FleetShape {
  readonly port: number;
  readonly agents: number;
  readonly services: number;
  readonly hosts: number;
  /** Number of the first round; 1 unless given. */
  readonly firstRound?: number;
}

/** Agents that send numbered reports, every host of every service in each round, until they are stopped. */
export interface Fleet {
  /** Rounds that all agents have sent so far. */
  readonly rounds: number;
  /** Lets every agent finish its round and close; resolves to the last number each sent, by caller. */
  stop(): Promise<ReadonlyMap<number, number>>;
}

/** The report of one round: its number stands in `succ` of every host. */
export function numberedReport(service: number, caller: number, hosts: number, round: number): Report {
  return {
    modid: 1 + (service % 100),
    cmdid: 1 + Math.floor(service / 100),
    caller,
    ts: 1_795_331_921,
    results: Array.from({ length: hosts }, (_, host) => ({
      ip: 0xc0a80001 + service * 256 + host,
      port: 8000 + host,
      succ: round,
      err: round % 7,
      overload: round % 2 === 1,
    })),
  };
}

/** Connects the fleet; callers are 1 … agents. */
export async function startFleet({
  port,
  agents,
  services,
  hosts,
  firstRound = 1,
}: FleetShape): Promise<Fleet> {
  let stopping = false;
  const last = new Map<number, number>();
  const running = Array.from({ length: agents }, async (_, index) => {
    const caller = index + 1;
    last.set(caller, firstRound - 1);
    const agent = await connectAgent({ host: '127.0.0.1', port, maxBufferedBytes: 65_536 });
    while (!stopping) {
      const round = last.get(caller)! + 1;
      for (let service = 0; service < services; service++)
        await agent.send(numberedReport(service, caller, hosts, round));
      last.set(caller, round);
      // Sending that never has to wait would keep the event loop from everything else.
      await new Promise(setImmediate);
    }
    await agent.close();
  });
  // Who stops the fleet is told; an agent that was cut off before is no news to anybody else.
  for (const agent of running) agent.catch(() => {});
  return {
    get rounds() {
      return Math.min(...last.values());
    },
    stop: async () => {
      stopping = true;
      await Promise.all(running);
      return last;
    },
  };
}
