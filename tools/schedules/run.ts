/** `npm run schedules`: the protocol of a cluster under as many schedules of faults as are asked for. */
import { note, runTool } from '../shared/tool.js';
import { scheduleOptions, USAGE } from './options.js';
import { runSchedule } from './schedule.js';

const PROGRESS_MS = 10_000;
/** Schedules between two turns of the event loop, so that signals get through. */
const A_TURN = 100;

async function main(): Promise<number> {
  const options = scheduleOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  const { count, seed } = options;
  note(`seed ${seed}`);
  const began = performance.now();
  let shownAt = began;
  const total: Record<string, number> = {};
  const rate = (runs: number) => {
    const seconds = (performance.now() - began) / 1000;
    return `${Math.round(runs / seconds)} a second, ${seconds.toFixed(0)} s`;
  };
  for (let run = 0; run < count; run++) {
    const { broken, happened, plan } = runSchedule(seed + run);
    for (const [name, times] of Object.entries(happened)) total[name] = (total[name] ?? 0) + times;
    if (broken !== undefined) {
      process.stdout.write(`FAILED after ${run + 1} schedules: ${broken}\n`);
      process.stdout.write(`plan: ${JSON.stringify(plan)}\n`);
      process.stdout.write(`repeat: npm run schedules -- --count 1 --seed ${seed + run}\n`);
      return 1;
    }
    if (run % A_TURN === 0) await new Promise(setImmediate);
    if (performance.now() - shownAt < PROGRESS_MS) continue;
    shownAt = performance.now();
    note(`${run + 1} of ${count} schedules, ${rate(run + 1)}`);
  }
  process.stdout.write(`${count} schedules from seed ${seed} broke no promise: ${rate(count)}\n`);
  process.stdout.write(`${JSON.stringify(total)}\n`);
  return 0;
}

await runTool(main);
