import { type ChildProcess, fork, type SendHandle } from 'node:child_process';
import { type Downward, KEPT_VARIABLE, type Role, type Upward } from './channel.js';
import type { RawHandle } from './handles.js';
import type { HeldConnections } from './held.js';

/** How a child was started, and who is told of it. */
export interface KeptChildOptions {
  readonly role: Role;
  readonly held: HeldConnections;
  readonly onMessage: (message: Upward) => void;
  /** It has ended, and everything that it said was heard. */
  readonly onEnd: (end: ChildEnd) => void;
}

export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What a child said before it ended is heard within this time. */
const LAST_WORDS_MS = 100;

/** A process that works for the keeper: the same command line, and a channel. */
export class KeptChild {
  readonly role: Role;
  readonly #process: ChildProcess;
  readonly #held: HeldConnections;
  /** Connections it has not got yet, in order. A handle waits for the answer to the one before. */
  #queue: number[] = [];
  /** The next one of the queue. */
  #at = 0;
  /** What came while it got no copies. */
  #missed: number[] = [];
  #isSending = false;
  /** It said hello: copies may be sent. */
  #takesCopies = false;
  #whenSent: (() => void)[] = [];
  #end: ChildEnd | undefined;
  #isHeard = false;
  /** Why it says that it ends. */
  why = '';
  /** What it has told of its configuration last. */
  limits: { readonly maxConnections: number; readonly level: string } | undefined;
  /** It takes reports. */
  isReady = false;
  /** It reads what it has copies of. */
  isReading = false;

  constructor({ role, held, onMessage, onEnd }: KeptChildOptions) {
    this.role = role;
    this.#held = held;
    // `argv[1]` as it was written: where it is a link, a child is of the version that the link shows then.
    const [, script = '', ...args] = process.argv;
    const { LISTEN_FDS: _fds, LISTEN_PID: _pid, LISTEN_FDNAMES: _names, ...env } = process.env;
    this.#process = fork(script, args, {
      env: { ...env, [KEPT_VARIABLE]: `${process.pid} ${role}` },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    let isOver = false;
    const over = () => {
      if (isOver || !this.#end || !this.#isHeard) return;
      isOver = true;
      onEnd(this.#end);
    };
    this.#process.on('message', (message) => onMessage(message as Upward));
    // What it said last comes before that, its end may be told earlier.
    this.#process.on('disconnect', () => {
      this.#isHeard = true;
      this.#takesCopies = false;
      over();
    });
    this.#process.on('exit', (code, signal) => {
      this.#end = { code, signal };
      over();
      // Node says nothing of a channel that broke while a handle was on its way.
      setTimeout(() => {
        this.#isHeard = true;
        over();
      }, LAST_WORDS_MS);
    });
    this.#process.on('error', (error) => {
      this.why = error.message;
      if (this.#process.pid !== undefined) return;
      this.#end = { code: 1, signal: null };
      this.#isHeard = true;
      over();
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  tell(message: Downward, handle?: RawHandle): void {
    if (!this.#process.connected) return;
    // It may end meanwhile; that is told elsewhere. Node takes raw handles, its types do not name them.
    this.#process.send(message, handle as unknown as SendHandle | undefined, () => {});
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** From now on it gets copies: of all connections there are, and of those to come. */
  startCopies(): void {
    this.#takesCopies = true;
    this.#missed = [];
    this.#queue = [...this.#held.ids];
    this.#at = 0;
    if (!this.#isSending) this.#pump();
  }

  /** It gets no more copies, until `startCopies` or `resumeCopies`. */
  stopCopies(): void {
    this.#takesCopies = false;
    this.#missed = this.#queue.slice(this.#at);
    this.#queue = [];
    this.#at = 0;
  }

  /** It goes on with what came since `stopCopies`. */
  resumeCopies(): void {
    if (this.#takesCopies) return;
    this.#takesCopies = true;
    for (const id of this.#missed.splice(0)) this.copy(id);
  }

  copy(id: number): void {
    if (!this.#takesCopies) {
      // Before its hello there is nothing to note: it will get all there are.
      if (this.isReady) this.#missed.push(id);
      return;
    }
    this.#queue.push(id);
    if (!this.#isSending) this.#pump();
  }

  /** Connections it has no copy of yet. */
  get unsent(): ReadonlySet<number> {
    return new Set([...this.#missed, ...this.#queue.slice(this.#at)]);
  }

  /** Calls back when it has a copy of everything there is. */
  whenSent(callback: () => void): void {
    if (!this.#isSending && this.#queue.length === 0) callback();
    else this.#whenSent.push(callback);
  }

  /** One at a time: Node would keep each handle that waits, with its message. */
  #pump(): void {
    this.#isSending = true;
    while (this.#process.connected) {
      const id = this.#queue[this.#at++];
      if (id === undefined) break;
      const held = this.#held.get(id);
      if (!held) continue;
      const message: Downward = {
        kind: 'connection',
        id,
        isRead: held.isRead,
        isTrusted: held.isTrusted,
        peer: held.peer,
        port: held.port,
      };
      held.isRead ||= this.isReading;
      this.#process.send(message, held.handle as unknown as SendHandle, () => this.#pump());
      return;
    }
    this.#isSending = false;
    this.#queue = [];
    this.#at = 0;
    for (const callback of this.#whenSent.splice(0)) callback();
  }
}
