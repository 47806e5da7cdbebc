/**
 * Shows what agents say of a host that fails every call: five minutes of twenty agents, in a moment. Run it with
 * `node dist/examples/agents.js`.
 */
import { World } from 'lars-reporter/testing';

const dead = { kind: 'sick-host', hosts: [0], fromMs: 30_000 } as const;
const world = new World({ agents: 20, hosts: 10, callsPerSecond: 10, conditions: [dead] });
const { ip } = world.addresses.host(0, 0);
let reports = 0;
let flagged = 0;
for (const { atMs, report } of world.reportsUntil(300_000)) {
  // `report` is what the agent sends then: for reporter.report(), a table, or a view.
  if (atMs < 60_000) continue;
  reports++;
  if (report.results.some((result) => result.ip === ip && result.overload)) flagged++;
}
const percent = Math.round((100 * flagged) / reports);
process.stdout.write(`${percent} % of ${reports} reports say that the dead host is overloaded\n`);
