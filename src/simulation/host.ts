import type { HostResult } from '../model/report.js';
import type { AgentRules } from './rules.js';

/**
 * What one agent knows of one host of one service.
 *
 *              an error: share or row too high, or the window that ends is too bad
 *     idle ───────────────────────────────────────────────────────────────────────▶ overloaded
 *      ▲ │ window over: counters begin anew                                              │
 *      │ └─┘                                                                             │
 *      └─────────────────────────────────────────────────────────────────────────────────┘
 *              a success: share or row high enough; or any result after `overloadS`
 *
 * Everything happens in `count`: a host without calls keeps its state and its counters for ever. The result that
 * ends a window or changes the state is wiped with the counters before anybody is told of it.
 */
export class HostState {
  readonly ip: number;
  readonly port: number;
  overload = false;
  /** Counters as reported. */
  succ = 0;
  err = 0;
  /** Counters that decide: with credit or debit. */
  #decidingSucc: number;
  #decidingErr = 0;
  #succInARow = 0;
  #errInARow = 0;
  #badWindows = 0;
  /** When the window or the overload began, by the agent's clock in whole seconds. */
  #sinceS: number;
  readonly #rules: AgentRules;

  constructor(address: { readonly ip: number; readonly port: number }, rules: AgentRules, nowS: number) {
    this.ip = address.ip;
    this.port = address.port;
    this.#rules = rules;
    this.#decidingSucc = rules.creditSucc;
    this.#sinceS = rules.isFirstCallWindowEnd ? Number.NEGATIVE_INFINITY : nowS;
  }

  /** Counts the result of a call, and decides. `nowS`: the agent's clock, whole seconds. */
  count(ok: boolean, nowS: number): void {
    if (ok) {
      this.succ++;
      this.#decidingSucc++;
      this.#succInARow++;
      this.#errInARow = 0;
    } else {
      this.err++;
      this.#decidingErr++;
      this.#errInARow++;
      this.#succInARow = 0;
    }
    if (this.overload) this.#decideWhenOverloaded(ok, nowS);
    else this.#decideWhenIdle(ok, nowS);
  }

  result(): HostResult {
    return { ip: this.ip, port: this.port, succ: this.succ, err: this.err, overload: this.overload };
  }

  #decideWhenIdle(ok: boolean, nowS: number): void {
    const { errorShare, errorsInARow, windowS } = this.#rules;
    const share = this.#decidingErr / (this.#decidingSucc + this.#decidingErr);
    if (!ok && (share > errorShare || this.#errInARow >= errorsInARow)) this.#setOverload(nowS);
    else if (nowS - this.#sinceS >= windowS) this.#endWindow(nowS);
  }

  #endWindow(nowS: number): void {
    const { windowErrorShare, windowsInARow } = this.#rules;
    const isBad = this.err / (this.succ + this.err) >= windowErrorShare;
    this.#badWindows = isBad ? this.#badWindows + 1 : 0;
    if (this.#badWindows >= windowsInARow) this.#setOverload(nowS);
    else this.#beginWindow(nowS);
  }

  #decideWhenOverloaded(ok: boolean, nowS: number): void {
    const { successShare, successesInARow, overloadS } = this.#rules;
    const share = this.#decidingSucc / (this.#decidingSucc + this.#decidingErr);
    const isWell = ok && (share > successShare || this.#succInARow >= successesInARow);
    if (!isWell && nowS - this.#sinceS < overloadS) return;
    this.overload = false;
    this.#badWindows = 0;
    this.#beginWindow(nowS);
  }

  #setOverload(nowS: number): void {
    this.overload = true;
    this.#wipe(0, this.#rules.debitErr, nowS);
  }

  #beginWindow(nowS: number): void {
    this.#wipe(this.#rules.creditSucc, 0, nowS);
  }

  #wipe(decidingSucc: number, decidingErr: number, nowS: number): void {
    this.succ = 0;
    this.err = 0;
    this.#decidingSucc = decidingSucc;
    this.#decidingErr = decidingErr;
    this.#succInARow = 0;
    this.#errInARow = 0;
    this.#sinceS = nowS;
  }
}
