import type { Terminal } from '../terminal.js';
import type { Swarm } from './swarm.js';

/** How often the line is rewritten on a terminal, and printed elsewhere; milliseconds. */
const REWRITE_MS = 500;
const PRINT_MS = 5000;
const ERASE_LINE = '\r\u001b[2K';

/** Shows on stderr how far a run is, until the returned function is called. */
export function showProgress(swarm: Swarm, terminal: Terminal): () => void {
  const onTerminal = process.stderr.isTTY === true;
  let lastRows = 0;
  let lastSeconds = 0;
  const show = (): void => {
    const { rows } = swarm.totals;
    const { seconds } = swarm;
    const rate = seconds > lastSeconds ? (rows - lastRows) / (seconds - lastSeconds) : 0;
    lastRows = rows;
    lastSeconds = seconds;
    const line = progressLine(swarm, rate);
    if (onTerminal) process.stderr.write(`${ERASE_LINE}${line}`);
    else terminal.note(line);
  };
  const timer = setInterval(show, onTerminal ? REWRITE_MS : PRINT_MS);
  return () => {
    clearInterval(timer);
    if (onTerminal) process.stderr.write(ERASE_LINE);
  };
}

function progressLine({ connected, seconds, totals, traffic, isOver }: Swarm, rate: number): string {
  const connections = `${connected}/${traffic.shape.agents} agents connected`;
  if (seconds === 0) return connections;
  return (
    `${seconds.toFixed(0)} s: ${connections}, ${totals.reports} reports, ${totals.rows} rows, ` +
    `${Math.round(rate)} rows/s, ${totals.reconnects} reconnects${isOver ? ', closing' : ''}`
  );
}
