import { createRequire } from 'node:module';

/**
 * The only file that knows nact (7.6). It wraps what we use of it with exact types and closes its traps:
 * - every actor has an `onCrash` of its own (nact's default prints and stops);
 * - a persistent actor brings its own journal, also inside a host's system that has an engine of its own;
 * - replay failures go to `onCrash` like any other, without nact's warning on the console;
 * - `onCrash` cannot throw, and an actor that was stopped is never brought back.
 */

/** A reference to an actor that takes messages of type M. Opaque; `tell` is all there is to do with it. */
export interface ActorRef<M> {
  readonly type: string;
  readonly name: string;
  readonly system: { readonly name: string };
  /** Never there at run time: ties the message type to the reference. */
  readonly takes?: (message: M) => void;
}

/** What actors can live under: a system, or another actor of any kind. */
export type ParentRef = ActorRef<never>;

/** A reference as nact's own types describe it: they say nothing of what is in it. Not a function. */
export interface NactRef {
  readonly apply?: never;
  readonly bind?: never;
}

/** Whether a value is a reference, of whatever copy of nact. */
export function isReference(value: unknown): value is ActorRef<never> {
  return typeof (value as Partial<ActorRef<never>> | null | undefined)?.system?.name === 'string';
}

/** What happens to an actor whose handler threw. `resume` drops the message and goes on. */
export type CrashDecision = 'resume' | 'stop';

export interface ActorDefinition<M> {
  readonly name: string;
  /** Handles one message; the next one waits until it settles. */
  readonly receive: (message: M) => void | Promise<void>;
  readonly onCrash: (error: Error, message: M) => CrashDecision;
}

/** An ordered, durable log that a persistent actor is rebuilt from. */
export interface EventLog<Event, Stored> {
  /** Everything that is stored, in order, with its sequence; at least one event, which may stand for "nothing". */
  replay(): AsyncIterable<{ readonly sequence: number; readonly event: Event }>;
  /** Resolves when the record is durable. */
  append(sequence: number, record: Stored): Promise<void>;
}

export interface PersistentActorDefinition<State, M, Event, Stored> {
  readonly name: string;
  /** nact's persistence key. */
  readonly key: string;
  readonly log: EventLog<Event, Stored>;
  /** A fresh state for each incarnation: at the start and after each crash. */
  readonly initial: () => State;
  /** Applies one event of the log to the state. */
  readonly replay: (state: State, event: Event, sequence: number) => void;
  /** The log has been applied; messages follow. */
  readonly recovered: (state: State) => void;
  /** Handles one message; `persist` makes a record durable and resolves to its sequence. */
  readonly receive: (state: State, message: M, persist: (record: Stored) => Promise<number>) => Promise<void>;
  /**
   * The state is lost; when this resolves, the actor is rebuilt from the log, its mailbox kept, the message that
   * crashed dropped. Called for crashes of `receive`, `replay`, `recovered` and of the log itself.
   */
  readonly onCrash: (error: Error, state: State) => Promise<void>;
}

/** Decisions are symbols that nact hands to `onCrash`. */
interface SupervisionContext {
  readonly stop: symbol;
  readonly resume: symbol;
  readonly reset: symbol;
}

interface NactEvent {
  readonly data: unknown;
  readonly sequenceNumber: number;
  readonly isDeleted?: boolean;
}

type Reducer<T> = (previous: T, event: NactEvent, index: number) => T;

/** nact's persistence engine as it is used, undocumented `reduce` included. */
interface NactEngine {
  latestSnapshot(key: string): Promise<undefined>;
  events(
    key: string,
    offset: number,
  ): {
    /** Undefined ends a recovery without its actor coming up. */
    reduce<T>(step: Reducer<T>, initial: T): Promise<T | undefined>;
  };
  persist(event: NactEvent): Promise<void>;
  takeSnapshot(): Promise<never>;
}

interface NactContext {
  readonly recovering?: boolean;
  readonly persist: (record: unknown) => Promise<void>;
}

interface Nact {
  start(name?: string): ActorRef<never>;
  spawn(
    parent: ParentRef,
    handler: (state: undefined, message: unknown) => Promise<void>,
    name: string,
    properties: {
      onCrash: (message: unknown, error: Error, context: SupervisionContext) => symbol;
    },
  ): ActorRef<never>;
  spawnPersistent(
    parent: ParentRef,
    handler: (state: unknown, message: unknown, context: NactContext) => Promise<unknown>,
    key: string,
    name: string,
    properties: {
      initialStateFunc: () => unknown;
      onCrash: (message: unknown, error: Error, context: SupervisionContext) => Promise<symbol>;
    },
  ): ActorRef<never>;
}

/** nact's own objects behind the references. */
interface Concrete {
  readonly system: { persistenceEngine?: NactEngine };
  readonly dispatch?: (message: unknown) => void;
  readonly mailbox?: { readonly length: number };
  readonly stop: () => void;
  readonly children: ReadonlyMap<string, Concrete>;
}

const require = createRequire(import.meta.url);
const nact = require('nact') as Nact;
const systems = require('nact/lib/system-map') as {
  find(systemName: string, reference: ActorRef<never>): Concrete | undefined;
};

/** Starts a system of our own. Nothing of it is shared with other systems in the process. */
export function startSystem(): ParentRef {
  return nact.start();
}

/**
 * Puts a message into the actor's mailbox. False when the actor has stopped or never existed: the message is lost,
 * which nact itself does not tell.
 */
export function tell<M>(ref: ActorRef<M>, message: M): boolean {
  const concrete = find(ref);
  if (!concrete?.dispatch) return false;
  concrete.dispatch(message);
  return true;
}

/** Whether an actor, or a system, is there. */
export function isRunning(ref: ParentRef): boolean {
  return find(ref) !== undefined;
}

/** Messages that an actor has not begun yet; undefined when it has stopped. */
export function waitingMessages<M>(ref: ActorRef<M>): number | undefined {
  return find(ref)?.mailbox?.length;
}

/** An actor, and all that live under it. */
export interface ActorTree {
  readonly ref: ParentRef;
  /** False when it, or what it lives under, has stopped: then no message reaches any of them. */
  isReachable(): boolean;
  /** Stops all of them, whether or not they can be reached. Harmless when they have stopped already. */
  stop(): void;
}

/** Spawns an actor that takes no messages, for others to live under. Throws when the parent has stopped. */
export function spawnTree(parent: ParentRef, name: string): ActorTree {
  const ref = spawn<never>(parent, { name, receive: () => {}, onCrash: () => 'resume' });
  const concrete = find(ref)!;
  return {
    ref,
    isReachable: () => find(ref) === concrete,
    stop: () => stopTree(concrete),
  };
}

/** Stops an actor and its children; what is in their mailboxes is dropped. Harmless when it has stopped already. */
export function stop<M>(ref: ActorRef<M>): void {
  const concrete = find(ref);
  if (concrete) stopTree(concrete);
}

/** nact forgets children: it looks its own objects up as if they were references, and finds none. */
function stopTree(concrete: Concrete): void {
  for (const child of [...concrete.children.values()]) stopTree(child);
  concrete.stop();
}

/** Spawns an actor without a state of its own (it lives in the closures of `receive`). */
export function spawn<M>(parent: ParentRef, definition: ActorDefinition<M>): ActorRef<M> {
  return nact.spawn(
    parent,
    async (_state, message) => {
      await definition.receive(message as M);
    },
    definition.name,
    {
      onCrash: (message, error, context) => {
        try {
          return definition.onCrash(error, message as M) === 'resume' ? context.resume : context.stop;
        } catch {
          return context.stop;
        }
      },
    },
  ) as ActorRef<M>;
}

/** Stands behind the last event of a replay. */
const END_OF_LOG = Symbol('end of log');

/** Spawns an actor whose state is what its log says, at the start and after every crash. */
export function spawnPersistent<State, M, Event, Stored>(
  parent: ParentRef,
  definition: PersistentActorDefinition<State, M, Event, Stored>,
): ActorRef<M> {
  const { log } = definition;
  let replayFailure: Error | undefined;
  let lastSequence = 0;
  let reference: ActorRef<never> | undefined;
  const isStopped = () => reference === undefined || !find(reference);

  const engine: NactEngine = {
    latestSnapshot: async () => undefined,
    takeSnapshot: async () => {
      throw new Error('writers take their snapshots themselves');
    },
    persist: async (event) => {
      lastSequence = event.sequenceNumber;
      await log.append(event.sequenceNumber, event.data as Stored);
    },
    events: () => ({
      reduce: async (step, initial) => {
        let result = initial;
        let index = 0;
        replayFailure = undefined;
        const apply = async (data: unknown, sequenceNumber: number) => {
          lastSequence = sequenceNumber;
          result = step(result, { data, sequenceNumber }, index++);
          await result;
          if (replayFailure) throw replayFailure;
        };
        for await (const { sequence, event } of log.replay()) {
          if (isStopped()) return undefined;
          await apply(event, sequence);
        }
        if (isStopped()) return undefined;
        await apply(END_OF_LOG, lastSequence);
        return result;
      },
    }),
  };

  // nact would answer an error during replay with a warning on the console before it asks onCrash. It is kept here
  // instead, and thrown by `reduce`, which takes the ordinary way to onCrash.
  const replay = (state: State, message: unknown) => {
    try {
      if (message === END_OF_LOG) definition.recovered(state);
      else definition.replay(state, message as Event, lastSequence);
    } catch (error) {
      replayFailure = asError(error);
    }
  };

  let state = definition.initial();
  const handler = async (current: unknown, message: unknown, context: NactContext) => {
    if (context.recovering) {
      replay(current as State, message);
    } else {
      await definition.receive(current as State, message as M, async (record) => {
        await context.persist(record);
        return lastSequence;
      });
    }
    return current;
  };
  const properties = {
    initialStateFunc: () => {
      state = definition.initial();
      return state;
    },
    onCrash: async (_message: unknown, error: Error, context: SupervisionContext) => {
      try {
        await definition.onCrash(asError(error), state);
      } catch {
        // A crash of the crash handler changes nothing: the log is still the truth.
      }
      return isStopped() ? context.stop : context.reset;
    },
  };

  // nact captures the system's engine when an actor is spawned. In one synchronous step no other actor can come
  // into being in between, so a host's own engine is back before anybody could miss it.
  const parentActor = find(parent);
  if (!parentActor) throw new Error('the parent of the actor system has stopped');
  const system = parentActor.system;
  const hostEngine = system.persistenceEngine;
  system.persistenceEngine = engine;
  try {
    reference = nact.spawnPersistent(parent, handler, definition.key, definition.name, properties);
  } finally {
    if (hostEngine) system.persistenceEngine = hostEngine;
    else delete system.persistenceEngine;
  }
  return reference as ActorRef<M>;
}

function find<M>(ref: ActorRef<M>): Concrete | undefined {
  return systems.find(ref.system.name, ref as ActorRef<never>);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
