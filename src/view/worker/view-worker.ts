/** The thread of the view: what runs when. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { ThreadClock } from '../feed/thread-clock.js';
import { type Send, Serving } from './serving.js';
import type { Boot, ToWorker } from './worker-protocol.js';

/** Rows are taken in so often. */
const POLL_MS = 50;
const SECOND_MS = 1000;
/** Turns that a tick is prepared in. */
const MAX_TURNS = 20;

function run(boot: Boot, port: NonNullable<typeof parentPort>): void {
  const send: Send = (message, transfer = []) => port.postMessage(message, transfer);
  const serving = new Serving(boot, send);
  const takeIn = () => {
    if (serving.takeIn()) setTimeout(takeIn, POLL_MS);
    else setImmediate(takeIn);
  };
  const tick = (turns: number) => {
    // Rows that come in meanwhile may make it more and more; the tick comes anyway.
    if (!serving.settle() && turns < MAX_TURNS) return setImmediate(tick, turns + 1);
    serving.tick();
    return setTimeout(tick, untilNextSecond(boot), 0);
  };
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'news') serving.take(message);
    else if (message.kind === 'names') serving.rename(message.names);
    else if (message.kind === 'set') serving.set(message);
    else if (message.kind === 'unfollow') serving.unfollow(message.topic);
    else void serving.request(message);
  });
  takeIn();
  tick(0);
}

function untilNextSecond({ clock }: Boot): number {
  const nowMs = new ThreadClock(clock).nowMs();
  // Timers may come early by what is behind the point.
  return Math.ceil((SECOND_MS - (nowMs % SECOND_MS)) / clock.speed) + 1;
}

if (!isMainThread && parentPort) run(workerData as Boot, parentPort);
