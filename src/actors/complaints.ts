import type { Logger } from '../model/log.js';

const MAX_PEERS = 1000;

/**
 * Says what is wrong with peers without letting them fill the log: each peer and kind of trouble once a minute,
 * and no more than a thousand peers a minute altogether.
 */
export class Complaints {
  readonly #logger: Logger;
  readonly #periodMs: number;
  #said = new Set<string>();
  #periodBegan = Number.NEGATIVE_INFINITY;

  constructor(logger: Logger, periodMs = 60_000) {
    this.#logger = logger;
    this.#periodMs = periodMs;
  }

  /** Logs a warning about `peer` unless it was said in this period. */
  about(
    peer: string,
    kind: string,
    fields: object,
    message: string,
    nowMs: number = performance.now(),
  ): void {
    if (nowMs - this.#periodBegan >= this.#periodMs) {
      this.#periodBegan = nowMs;
      this.#said = new Set();
    }
    const key = `${kind} ${peer}`;
    if (this.#said.has(key) || this.#said.size >= MAX_PEERS) return;
    this.#said.add(key);
    this.#logger.warn({ peer, kind, ...fields }, message);
  }
}
