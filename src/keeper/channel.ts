/**
 * What a keeper and its children tell each other over the channel between them. It is JSON, and keeper and child may be
 * of different versions after an upgrade: what one does not know, it leaves alone.
 */

/** The ports of agents, whose connections a keeper accepts. */
export type AgentPort = 'agents' | 'agents-tls';

/** The ports that a keeper holds. */
export type PortName = AgentPort | 'admin';

/**
 * - `first`: nothing was read yet, and who started the keeper waits for it.
 * - `again`: the one before has ended by itself; its connections may be in the middle of a frame.
 * - `successor`: the one before still reads; this one prepares, and takes over when it is told to.
 */
export type Role = 'first' | 'again' | 'successor';

/**
 * A part of what one child hands to the next. `section` is the name of who gave it, `version` that of the form of
 * `data`. There may be many of one section, in order.
 */
export interface StatePiece {
  readonly section: string;
  readonly version: number;
  readonly data: unknown;
}

export type Signal = 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGUSR2';

/** From the child. */
export type Upward =
  /** It can take copies of connections, and keeps them unread until it reads. */
  | { readonly kind: 'hello' }
  | { readonly kind: 'limits'; readonly maxConnections: number; readonly level: string }
  | {
      readonly kind: 'bind';
      readonly ask: number;
      readonly name: PortName;
      readonly host: string;
      readonly port: number;
      readonly backlog: number;
    }
  /** A successor could take over now. */
  | { readonly kind: 'prepared' }
  /** Why it ends, or could not let go. */
  | { readonly kind: 'failed'; readonly why: string }
  /** It begins to read: from now on nobody else can know what was read. */
  | { readonly kind: 'reading' }
  /** It takes reports. */
  | { readonly kind: 'ready' }
  /** These peers have sent a good frame. */
  | { readonly kind: 'heard'; readonly ids: readonly number[] }
  /** A balancer speaks for this peer. */
  | { readonly kind: 'introduced'; readonly id: number; readonly peer: string }
  /** These connections are over. */
  | { readonly kind: 'closed'; readonly ids: readonly number[] }
  /** For its successor. The next one follows when this one was taken (`taken`). */
  | { readonly kind: 'state'; readonly piece: StatePiece }
  /** A successor has taken a piece. */
  | { readonly kind: 'taken' }
  /** It has let go of everything: journal, ports and connections. */
  | { readonly kind: 'gone' }
  /** It asks for a successor. */
  | { readonly kind: 'hand-over'; readonly why: string }
  /** A signal that came to the child. */
  | { readonly kind: 'signal'; readonly signal: Signal };

/** From the keeper. */
export type Downward =
  /** A copy comes with it. `isRead`: another child has read of it. `isTrusted`: good frames. */
  | {
      readonly kind: 'connection';
      readonly id: number;
      readonly isRead: boolean;
      readonly isTrusted: boolean;
      readonly peer?: string | undefined;
      /** Where it came. */
      readonly port: AgentPort;
    }
  /** All connections of now were sent. */
  | { readonly kind: 'all-sent'; readonly count: number }
  /** These connections are over; their copies are worth nothing. */
  | { readonly kind: 'over'; readonly ids: readonly number[] }
  /** A handle comes with it, where the child is to listen itself. */
  | { readonly kind: 'bound'; readonly ask: number; readonly host: string; readonly port: number }
  | { readonly kind: 'not-bound'; readonly ask: number; readonly why: string }
  /** A successor is prepared: hand over. */
  | { readonly kind: 'let-go' }
  /** The piece that was given last was taken. */
  | { readonly kind: 'taken' }
  | { readonly kind: 'state'; readonly piece: StatePiece }
  /** Everything is yours. To one that has let go: the successor has failed, go on with what you gave. */
  | { readonly kind: 'take-over' }
  /** The hand-over is off. */
  | { readonly kind: 'not-handed'; readonly why: string }
  /** The configuration is to be read again. */
  | { readonly kind: 'reload' }
  /** So many connections were closed at once: there are too many. */
  | { readonly kind: 'turned-away'; readonly count: number }
  /** A successor reads: end. */
  | { readonly kind: 'end' }
  | { readonly kind: 'signal'; readonly signal: Signal };

/** In the environment of a child: the role it has, for the keeper of this process id. */
export const KEPT_VARIABLE = 'REPORTER_KEPT_BY';
