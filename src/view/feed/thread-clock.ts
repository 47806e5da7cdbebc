import { evenMs } from '../../model/clock.js';

/** An even clock that several threads of a process have in common: each has a `performance` of its own. */
export interface ClockSetting {
  /** Time on it when the monotonic clock of the process showed `monotonicMs`. */
  readonly startMs: number;
  readonly monotonicMs: number;
  /** Seconds of it in a second: 1, but for tests. */
  readonly speed: number;
}

function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** `speed`: for tests, in which minutes pass in seconds. */
export function clockSetting(speed = 1): ClockSetting {
  return { startMs: evenMs(), monotonicMs: monotonicMs(), speed };
}

export class ThreadClock {
  readonly setting: ClockSetting;

  constructor(setting: ClockSetting = clockSetting()) {
    this.setting = setting;
  }

  /** Milliseconds since the epoch, by a clock that nobody sets. */
  nowMs(): number {
    const { startMs, monotonicMs: since, speed } = this.setting;
    return startMs + (monotonicMs() - since) * speed;
  }

  /** `nowMs` in whole seconds. */
  nowS(): number {
    return Math.floor(this.nowMs() / 1000);
  }
}
