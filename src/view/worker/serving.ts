import { messageOf } from '../../model/errors.js';
import { WORDS_PER_ROW } from '../../model/row.js';
import { NO_SERVICE_NAMES, type ServiceNames } from '../../model/service-names.js';
import { HISTORY_OFF } from '../../model/view-status.js';
import { RingReader } from '../feed/ring.js';
import { ThreadClock } from '../feed/thread-clock.js';
import { PEER, ROWS } from '../feed/view-feed.js';
import { Unanswerable } from '../query/parameters.js';
import { serviceSeries } from '../query/service-series.js';
import { View } from '../view.js';
import { namesFrom } from '../view-settings.js';
import { answer } from './answering.js';
import { Keeping } from './keeping.js';
import { MAX_MACHINES, MachinesFile } from './machines-file.js';
import { Topics } from './topics.js';
import { WallClock } from './wall-clock.js';
import type {
  Boot,
  FromWorker,
  News,
  ReadRows,
  Request,
  RequestKind,
  Requests,
  Setting,
} from './worker-protocol.js';

/** Machines are written out so often at most. */
const SAVE_S = 10;
const FIRST_SAVE_S = 2;
/** Words taken in before anything else has its turn: some milliseconds. */
const TURN_WORDS = 500_000;
/** Services looked at before anything else has its turn: some milliseconds. */
const TURN_SERVICES = 1_500;
/** The view counts as behind when rows have waited so long. */
const BEHIND_S = 2;

const encoder = new TextEncoder();

export type Send = (message: FromWorker, transfer?: ArrayBuffer[]) => void;

/** The view in its thread: takes in rows, ticks, answers. Whoever owns it calls it in time. */
export class Serving {
  readonly #view: View;
  readonly #clock: ThreadClock;
  readonly #ring: RingReader;
  readonly #topics: Topics;
  readonly #wall: WallClock;
  readonly #file: MachinesFile | undefined;
  readonly #keeping: Keeping | undefined;
  readonly #send: Send;
  #names: Boot['names'];
  #storedNames = NO_SERVICE_NAMES;
  /** Numbers of the view by the numbers in the tags of rows. */
  #peers = new Int32Array(1024);
  #missed: News['missed'] = null;
  #warmingRows: number | undefined = 0;
  #savedS: number;

  constructor(boot: Boot, send: Send) {
    const { settings, names, node, tick } = boot;
    this.#clock = new ThreadClock(boot.clock);
    this.#ring = new RingReader(boot.ring);
    this.#send = send;
    this.#names = names;
    const startS = this.#clock.nowS();
    this.#view = new View({
      ...{ settings, startS, tick, nameOf: namesFrom(names) },
      ...(node === null ? {} : { node }),
    });
    this.#wall = new WallClock(this.#view, this.#clock);
    // Before anything is taken in: incidents that ran go on.
    this.#keeping = boot.history ? new Keeping(this.#view, boot.history) : undefined;
    this.#topics = new Topics(this.#view);
    for (const [number, address] of boot.peers) this.#setPeer(number, address);
    // A process that is killed soon has told who calls, too.
    this.#savedS = startS - SAVE_S + FIRST_SAVE_S;
    if (boot.machinesFile === null) return;
    this.#file = new MachinesFile(boot.machinesFile);
    try {
      this.#view.remember(this.#file.load());
    } catch (error) {
      this.#complain('the machines of the last run are not known', error);
    }
  }

  /** Takes in what was journaled. False when there is more: others have their turn, then it is to be called again. */
  takeIn(maxWords = TURN_WORDS): boolean {
    this.#ring.beat();
    return this.#ring.read((kind, tag, content) => {
      if (kind === ROWS) this.#view.live(content, this.#peers, this.#clock.nowS());
      else if (kind === PEER) this.#setPeer(tag, String.fromCharCode(...content));
    }, maxWords);
  }

  /** Prepares a tick. False when there is more: others have their turn, then it is to be called again. */
  settle(): boolean {
    return this.#view.settleSome(this.#clock.nowS(), TURN_SERVICES);
  }

  /** To be called once a second. */
  tick(): void {
    const waitedS = this.#waitedS;
    const isBehind = waitedS >= BEHIND_S || this.#missed !== null;
    this.#view.condition = {
      ...(this.#warmingRows === undefined ? {} : { warmingRows: this.#warmingRows }),
      ...(isBehind ? { behind: { seconds: waitedS, droppedRows: this.#missed?.rows ?? 0 } } : {}),
    };
    // Rows that were journaled before are heard before.
    this.takeIn();
    this.#wall.look();
    const { tick } = this.#view.tick(this.#clock.nowS());
    void this.#keeping?.tick();
    this.#send({
      ...{ kind: 'tick', tick, counts: this.#view.counts() },
      history: this.#keeping?.condition ?? HISTORY_OFF,
      ...{ topics: this.#topics.update(), changes: this.#topics.changes() },
    });
    if (this.#clock.nowS() - this.#savedS >= SAVE_S) this.#save();
  }

  take({ connections, notes, missed }: News): void {
    for (const [address, count] of connections) this.#view.connection(address, count);
    for (const note of notes) this.#view.note(note);
    this.#missed = missed;
  }

  set({ settings, names }: Setting): void {
    this.#names = names;
    this.#view.set(settings, namesFrom(names, this.#storedNames));
  }

  /** Names of services that are stored; those of the configuration stand above them. */
  rename(stored: ServiceNames): void {
    this.#storedNames = stored;
    this.#view.state.nameOf = namesFrom(this.#names, stored);
  }

  unfollow(topic: string): void {
    this.#topics.unfollow(topic);
  }

  /** Answers one request; whatever happens, there is an answer. */
  async request(request: Request): Promise<void> {
    const { id } = request;
    try {
      const answered = this.#answer(request);
      // What can be answered at once is: requests keep their order.
      const reply = answered instanceof Promise ? await answered : answered;
      const body = request.kind === 'ask' ? (reply as Requests['ask']['reply']).body : undefined;
      const transfer = body && body.byteLength === body.buffer.byteLength ? [body.buffer as ArrayBuffer] : [];
      this.#send({ kind: 'reply', id, reply }, transfer);
    } catch (error) {
      this.#send({ kind: 'failed', id, why: messageOf(error), isRefusal: error instanceof Unanswerable });
    }
  }

  #answer(request: Request): Requests[RequestKind]['reply'] | Promise<null> {
    switch (request.kind) {
      case 'ask':
        return answer(this.#view, request.question, this.#keeping?.reader);
      case 'series':
        return encoder.encode(serviceSeries(this.#view));
      case 'follow':
        return this.#topics.follow(request.question);
      case 'begin':
        this.#view.beginReading();
        if (request.question.isWarmUp) this.#warmingRows ??= 0;
        return null;
      case 'rows':
        return this.#read(request.question);
      case 'end':
        this.#warmingRows = undefined;
        return request.question.sweptFromS === null ? 0 : this.#view.endSweep(request.question.sweptFromS);
      case 'stop':
        return this.#stop();
    }
  }

  async #stop(): Promise<null> {
    try {
      this.#file?.saveNow(this.#view.machines(MAX_MACHINES));
    } finally {
      await this.#keeping?.close();
    }
    return null;
  }

  #read({ rows, from, missedUntilS }: ReadRows) {
    // What was journaled before they were read is taken in before.
    this.takeIn(Number.POSITIVE_INFINITY);
    if (this.#warmingRows !== undefined) this.#warmingRows += rows.length / WORDS_PER_ROW;
    return this.#view[from === 'pending' ? 'pending' : 'table'](rows, this.#clock.nowS(), missedUntilS);
  }

  /** Seconds since rows wait, or since some were missed. */
  get #waitedS(): number {
    const sinceS = Math.min(
      this.#ring.oldestSecond() ?? Number.POSITIVE_INFINITY,
      this.#missed?.sinceS ?? Number.POSITIVE_INFINITY,
    );
    return Number.isFinite(sinceS) ? Math.max(0, this.#clock.nowS() - sinceS) : 0;
  }

  #setPeer(number: number, address: string): void {
    if (number >= this.#peers.length) {
      const larger = new Int32Array(Math.max(number + 1, this.#peers.length * 2));
      larger.set(this.#peers);
      this.#peers = larger;
    }
    this.#peers[number] = this.#view.peer(address);
  }

  #save(): void {
    this.#savedS = this.#clock.nowS();
    this.#file?.save(this.#view.machines(MAX_MACHINES)).catch((error: unknown) => {
      this.#complain('the machines that call cannot be kept for the next start', error);
    });
  }

  #complain(what: string, error: unknown): void {
    this.#send({ kind: 'complaint', why: `${what}: ${messageOf(error)}` });
  }
}
