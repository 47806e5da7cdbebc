import type { Logger } from '../model/log.js';

/** Lines about peers in one period; the last of them says that there are more. */
const MAX_PEERS = 1000;
/** Lines about parts of our own in one period. */
const MAX_PARTS = 1000;

/**
 * Says what is wrong without letting it fill the log: each peer and kind of trouble once a minute, and no more than a
 * thousand lines about peers a minute altogether. Parts of our own have lines of their own, which a flood of peers cannot use up.
 */
export class Complaints {
  readonly #logger: Logger;
  readonly #periodMs: number;
  #saidOfPeers = new Set<string>();
  #saidOfParts = new Set<string>();
  #isFull = false;
  #periodBegan = Number.NEGATIVE_INFINITY;

  constructor(logger: Logger, periodMs = 60_000) {
    this.#logger = logger;
    this.#periodMs = periodMs;
  }

  /** Logs a warning about `peer`, an address without a port, unless it was said in this period. */
  about(
    peer: string,
    kind: string,
    fields: object,
    message: string,
    nowMs: number = performance.now(),
  ): void {
    this.#turn(nowMs);
    const key = `${kind} ${peer}`;
    if (this.#isFull || this.#saidOfPeers.has(key)) return;
    if (this.#saidOfPeers.size === MAX_PEERS - 1) {
      this.#isFull = true;
      this.#logger.warn(
        { kind: 'complaints', peers: this.#saidOfPeers.size },
        'more peers are in trouble; for a while they are only counted',
      );
      return;
    }
    this.#saidOfPeers.add(key);
    this.#logger.warn({ peer, kind, ...fields }, message);
  }

  /** As `about`, for trouble of a part of our own: the listener, a writer, reports from inside the process. */
  ours(part: string, kind: string, fields: object, message: string, nowMs: number = performance.now()): void {
    this.#turn(nowMs);
    const key = `${kind} ${part}`;
    if (this.#saidOfParts.has(key) || this.#saidOfParts.size >= MAX_PARTS) return;
    this.#saidOfParts.add(key);
    this.#logger.warn({ peer: part, kind, ...fields }, message);
  }

  #turn(nowMs: number): void {
    if (nowMs - this.#periodBegan < this.#periodMs) return;
    this.#periodBegan = nowMs;
    this.#saidOfPeers = new Set();
    this.#saidOfParts = new Set();
    this.#isFull = false;
  }
}
