import { createRequire } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';
import {
  type ActorRef,
  type EventLog,
  type ParentRef,
  type PersistentActorDefinition,
  spawn,
  spawnPersistent,
  startSystem,
  stop,
  tell,
} from '../../src/runtime/actors.js';
import { until } from '../../src/testing/until.js';

const BOUND = { boundMs: 5000 };

function newGate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** A log in memory that can be told to fail. */
class MemoryLog implements EventLog<string, string> {
  readonly stored: { sequence: number; event: string }[] = [];
  replays = 0;
  /** Called before each event of a replay, and before each append. */
  atReplay: (event: string) => unknown = () => {};
  atAppend: (record: string) => unknown = () => {};

  async *replay() {
    this.replays++;
    yield { sequence: 0, event: 'base' };
    for (const stored of this.stored) {
      await this.atReplay(stored.event);
      yield stored;
    }
  }

  async append(sequence: number, event: string): Promise<void> {
    await this.atAppend(event);
    this.stored.push({ sequence, event });
  }
}

interface State {
  readonly incarnation: number;
  readonly seen: string[];
}

type Definition = PersistentActorDefinition<State, string, string, string>;

/**
 * A persistent actor that appends each message to its log and to its state. `lines` tells its life: `+message`
 * handled, `!message` crashed, `recovered:state`.
 */
function persistent(parent: ParentRef, log: EventLog<string, string>, overrides: Partial<Definition> = {}) {
  const lines: string[] = [];
  const states: State[] = [];
  const ref = spawnPersistent<State, string, string, string>(parent, {
    name: 'p',
    key: 'p',
    log,
    initial: () => {
      const state = { incarnation: states.length, seen: [] };
      states.push(state);
      return state;
    },
    replay: (state, event, sequence) => {
      if (event !== 'base') state.seen.push(`${sequence}:${event}`);
    },
    recovered: (state) => {
      lines.push(`recovered:${state.seen.join()}`);
    },
    receive: async (state, message, persist) => {
      if (message.startsWith('bad')) throw new Error(message);
      const sequence = await persist(message);
      state.seen.push(`${sequence}:${message}`);
      if (message.startsWith('late')) throw new Error(message);
      lines.push(`+${message}`);
    },
    onCrash: async (error) => {
      lines.push(`!${error.message}`);
    },
    ...overrides,
  });
  return {
    ref,
    lines,
    states,
    has: (line: string) => until(() => lines.includes(line), { ...BOUND, what: line }),
  };
}

/** What was written to stdout and stderr, and rejected without a handler, while `run` ran. */
async function noiseOf(run: () => Promise<void>): Promise<string[]> {
  const noise: string[] = [];
  const onRejection = (reason: unknown) => noise.push(`unhandled: ${String(reason)}`);
  const { stdout, stderr } = process;
  const writes = [stdout.write, stderr.write] as const;
  const listen = (chunk: unknown) => {
    noise.push(String(chunk));
    return true;
  };
  process.on('unhandledRejection', onRejection);
  stdout.write = listen as typeof stdout.write;
  stderr.write = listen as typeof stderr.write;
  try {
    await run();
    for (let turn = 0; turn < 5; turn++) await nextTurn();
  } finally {
    [stdout.write, stderr.write] = writes;
    process.off('unhandledRejection', onRejection);
  }
  return noise;
}

test('messages are handled one after the other, in the order they were told', async (t) => {
  const seen: number[] = [];
  let inside = 0;
  const ref = spawn<number>(startSystem(), {
    name: 'a',
    receive: async (message) => {
      t.is(++inside, 1);
      await nextTurn();
      seen.push(message);
      inside--;
    },
    onCrash: () => 'stop',
  });
  const sent = Array.from({ length: 20 }, (_, index) => index);
  for (const message of sent) t.true(tell(ref, message));
  await until(() => seen.length === sent.length, { ...BOUND, what: 'all are handled' });
  t.deepEqual(seen, sent);
});

test('an actor that resumes loses the message at which it crashed, and no other', async (t) => {
  const seen: number[] = [];
  const crashes: [string, number][] = [];
  const ref = spawn<number>(startSystem(), {
    name: 'a',
    receive: (message) => {
      if (message % 2 === 1) throw new Error(`no ${message}`);
      seen.push(message);
    },
    onCrash: (error, message) => {
      crashes.push([error.message, message]);
      return 'resume';
    },
  });
  for (const message of [0, 1, 2, 3, 4]) tell(ref, message);
  await until(() => seen.length === 3, { ...BOUND, what: 'the good ones are handled' });
  t.deepEqual(seen, [0, 2, 4]);
  t.deepEqual(crashes, [
    ['no 1', 1],
    ['no 3', 3],
  ]);
});

test('whoever tells an actor that has stopped learns that the message is lost', async (t) => {
  const system = startSystem();
  const ref = spawn<number>(system, { name: 'a', receive: () => {}, onCrash: () => 'stop' });
  t.true(tell(ref, 1));
  stop(ref);
  t.false(tell(ref, 2));
  stop(ref);

  const crashing = spawn<number>(system, {
    name: 'b',
    receive: () => {
      throw new Error('crash');
    },
    // A crash handler that crashes stops the actor too.
    onCrash: () => {
      throw new Error('crash');
    },
  });
  t.true(tell(crashing, 1));
  await until(() => !tell(crashing, 2), { ...BOUND, what: 'it stops' });

  const child = spawn<number>(
    spawn<number>(system, { name: 'c', receive: () => {}, onCrash: () => 'stop' }),
    {
      name: 'd',
      receive: () => {},
      onCrash: () => 'stop',
    },
  );
  t.true(tell(child, 1));
  stop(system);
  t.false(tell(child, 2));
});

test('a persistent actor is rebuilt from its log after a crash, its mailbox kept and in order', async (t) => {
  const log = new MemoryLog();
  const { ref, lines, states, has } = persistent(startSystem(), log);
  for (const message of ['a', 'bad', 'b', 'late', 'c']) tell(ref, message);
  await has('+c');
  t.deepEqual(lines, [
    'recovered:',
    '+a',
    '!bad',
    'recovered:1:a',
    '+b',
    '!late',
    // Durable before it crashed, so it is there.
    'recovered:1:a,2:b,3:late',
    '+c',
  ]);
  t.deepEqual(log.stored, [
    { sequence: 1, event: 'a' },
    { sequence: 2, event: 'b' },
    { sequence: 3, event: 'late' },
    { sequence: 4, event: 'c' },
  ]);
  t.is(states.at(-1)?.seen.join(), '1:a,2:b,3:late,4:c');
  t.is(new Set(states).size, states.length, 'each incarnation has a state of its own');
});

test('a record that could not be appended leaves no gap in the sequence', async (t) => {
  const log = new MemoryLog();
  const { ref, has } = persistent(startSystem(), log);
  log.atAppend = (record) => {
    if (record === 'refused') throw new Error('refused');
  };
  for (const message of ['a', 'refused', 'b']) tell(ref, message);
  await has('+b');
  t.deepEqual(
    log.stored.map(({ sequence, event }) => `${sequence}:${event}`),
    ['1:a', '2:b'],
  );
});

test('an actor started on a log that goes on from a later sequence goes on from there', async (t) => {
  const log = new MemoryLog();
  log.stored.push({ sequence: 41, event: 'old' });
  const { ref, lines, has } = persistent(startSystem(), log);
  tell(ref, 'new');
  await has('+new');
  t.deepEqual(lines, ['recovered:41:old', '+new']);
  t.is(log.stored.at(-1)?.sequence, 42);
});

test('messages wait while the crash handler takes its time', async (t) => {
  const crash = newGate();
  const crashed = newGate();
  const { ref, lines, states, has } = persistent(startSystem(), new MemoryLog(), {
    onCrash: async (error, state) => {
      lines.push(`!${error.message}`);
      t.is(state, states.at(-1)!);
      crashed.open();
      await crash.opened;
    },
  });
  for (const message of ['a', 'bad', 'b']) tell(ref, message);
  await crashed.opened;
  tell(ref, 'c');
  for (let turn = 0; turn < 10; turn++) await nextTurn();
  t.deepEqual(lines, ['recovered:', '+a', '!bad']);
  crash.open();
  await has('+c');
  t.deepEqual(lines.slice(3), ['recovered:1:a', '+b', '+c']);
});

test.serial(
  'crashes while the log is replayed are crashes like any other, and nothing is printed',
  async (t) => {
    const failures = ['replay', 'recovered', 'log', 'replay', 'recovered', 'log'];
    const crashes: string[] = [];
    const log = new MemoryLog();
    log.stored.push({ sequence: 1, event: 'a' }, { sequence: 2, event: 'b' });
    const fail = (where: string) => {
      if (failures[0] !== where) return;
      failures.shift();
      throw new Error(where);
    };
    log.atReplay = (event) => {
      if (event === 'b') fail('log');
    };
    const states: State[] = [];
    const noise = await noiseOf(async () => {
      const { ref, has } = persistent(startSystem(), log, {
        replay: (state, event) => {
          if (event === 'a') fail('replay');
          state.seen.push(event);
          states.push(state);
        },
        recovered: () => fail('recovered'),
        onCrash: async (error) => {
          crashes.push(error.message);
          if (crashes.length === 3) throw new Error('of the crash handler itself');
        },
      });
      tell(ref, 'c');
      await has('+c');
    });
    t.deepEqual(noise, []);
    t.deepEqual(crashes, ['replay', 'recovered', 'log', 'replay', 'recovered', 'log']);
    t.is(log.replays, 7);
    t.deepEqual(states.at(-1)?.seen, ['base', 'a', 'b', '3:c']);
  },
);

test.serial('an error in a handler that ends after its actor was stopped goes nowhere', async (t) => {
  const noise = await noiseOf(async () => {
    const system = startSystem();
    const crashes: string[] = [];
    const gate = newGate();
    const plain = spawn<string>(system, {
      name: 'plain',
      receive: async (message) => {
        await gate.opened;
        throw new Error(message);
      },
      onCrash: (error) => {
        crashes.push(error.message);
        return 'resume';
      },
    });
    const log = new MemoryLog();
    const { ref, has } = persistent(system, log, {
      receive: async () => {
        await gate.opened;
        throw new Error('durable');
      },
      onCrash: async (error) => {
        crashes.push(error.message);
      },
    });
    tell(plain, 'plain');
    tell(ref, 'durable');
    await has('recovered:');
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    stop(plain);
    stop(ref);
    gate.open();
    await until(() => crashes.length === 2, { ...BOUND, what: 'both have failed' });
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    t.is(log.replays, 1, 'it is not brought back');
  });
  t.deepEqual(noise, []);
});

test.serial('an actor that is stopped while it waits for its restart is not brought back', async (t) => {
  const noise = await noiseOf(async () => {
    const pause = newGate();
    const log = new MemoryLog();
    const { ref, lines, has } = persistent(startSystem(), log, {
      onCrash: async (error) => {
        lines.push(`!${error.message}`);
        await pause.opened;
      },
    });
    tell(ref, 'bad');
    await has('!bad');
    stop(ref);
    pause.open();
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    t.is(log.replays, 1);
    t.false(tell(ref, 'a'));
  });
  t.deepEqual(noise, []);
});

/** nact as a host uses it. */
interface HostEngine {
  latestSnapshot(): Promise<undefined>;
  events(key: string, after: number): { data: string; sequenceNumber: number }[];
  persist(event: { data: string; key: string; sequenceNumber: number }): Promise<void>;
  takeSnapshot(): Promise<void>;
}
type Plugin = (system: object) => unknown;
interface HostNact {
  start(...plugins: readonly Plugin[]): ParentRef;
  configurePersistence(engine: HostEngine): Plugin;
  spawnPersistent(
    parent: ParentRef,
    handler: (
      state: string[],
      message: string,
      context: { recovering?: boolean; persist(message: string): Promise<void> },
    ) => Promise<string[]>,
    key: string,
    name: string,
    properties: { initialStateFunc: () => string[] },
  ): ActorRef<string>;
}
const nact = createRequire(import.meta.url)('nact') as HostNact;

class HostStore implements HostEngine {
  readonly kept: { data: string; key: string; sequenceNumber: number }[] = [];
  async latestSnapshot() {
    return undefined;
  }
  events(key: string, after: number) {
    return this.kept.filter((event) => event.key === key && event.sequenceNumber > after);
  }
  async persist({ data, key, sequenceNumber }: { data: string; key: string; sequenceNumber: number }) {
    this.kept.push({ data, key, sequenceNumber });
  }
  async takeSnapshot() {}
}

test('a host keeps its own persistence engine, before and after persistent actors of ours live in its system', async (t) => {
  const engine = new HostStore();
  const host = nact.start(nact.configurePersistence(engine));
  const hostStates = new Map<string, string[]>();
  const hostActor = (name: string) =>
    nact.spawnPersistent(
      host,
      async (state, message, context) => {
        if (!context.recovering) await context.persist(message);
        const next = [...state, message];
        hostStates.set(name, next);
        return next;
      },
      name,
      name,
      { initialStateFunc: () => [] },
    );
  const before = hostActor('before');
  const logs = [new MemoryLog(), new MemoryLog()];
  // Two of ours, each with a log of its own, one of them below an actor of ours.
  const parent = spawn<never>(host, { name: 'parent', receive: () => {}, onCrash: () => 'resume' });
  const ours = [persistent(host, logs[0]!), persistent(parent, logs[1]!)];
  const after = hostActor('after');
  for (const ref of [before, after, ours[0]!.ref, ours[1]!.ref]) tell(ref, 'one');
  tell(ours[0]!.ref, 'bad');
  for (const ref of [before, after, ours[0]!.ref, ours[1]!.ref]) tell(ref, 'two');
  await Promise.all(ours.map(({ has }) => has('+two')));
  await until(() => engine.kept.length === 4, { ...BOUND, what: "the host's messages are kept" });
  t.deepEqual(engine.kept.map(({ key, sequenceNumber, data }) => `${key} ${sequenceNumber} ${data}`).sort(), [
    'after 1 one',
    'after 2 two',
    'before 1 one',
    'before 2 two',
  ]);
  for (const log of logs)
    t.deepEqual(log.stored, [
      { sequence: 1, event: 'one' },
      { sequence: 2, event: 'two' },
    ]);
  // And the host's recovery reads what it wrote.
  stop(after);
  hostStates.clear();
  hostActor('after');
  await until(() => hostStates.get('after')?.join() === 'one,two', { ...BOUND, what: 'the host recovers' });
});

test("a host's system without a persistence engine has none afterwards", (t) => {
  let system: object = {};
  const host = nact.start((started) => {
    system = started;
  });
  persistent(host, new MemoryLog());
  t.false('persistenceEngine' in system);
});

test('nobody can be spawned under a parent that has stopped, and its system keeps its engine', (t) => {
  const engine = new HostStore();
  let system: { persistenceEngine?: unknown } = {};
  const host = nact.start(nact.configurePersistence(engine), (started) => {
    system = started;
  });
  const parent = spawn<never>(host, { name: 'gone', receive: () => {}, onCrash: () => 'stop' });
  stop(parent);
  t.throws(() => persistent(parent, new MemoryLog()));
  persistent(host, new MemoryLog());
  // The name is taken.
  t.throws(() => persistent(host, new MemoryLog()));
  t.is(system.persistenceEngine, engine);
});

test('stopping an actor stops its children, and drops what is in their mailboxes', async (t) => {
  for (const fromAbove of ['parent', 'system']) {
    const system = startSystem();
    const seen: number[] = [];
    const parent = spawn<never>(system, { name: 'parent', receive: () => {}, onCrash: () => 'resume' });
    const child = spawn<number>(parent, {
      name: 'child',
      receive: async (message) => {
        await nextTurn();
        seen.push(message);
      },
      onCrash: () => 'resume',
    });
    for (const message of [1, 2, 3]) tell(child, message);
    stop(fromAbove === 'parent' ? parent : system);
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    t.true(seen.length <= 1, `${fromAbove}: ${seen}`);
    t.false(tell(child, 4));
  }
});

test('an actor that is stopped while its log is replayed does not come up', async (t) => {
  const gate = newGate();
  const lines: string[] = [];
  const log: EventLog<string, string> = {
    async *replay() {
      yield { sequence: 0, event: 'base' };
      lines.push('reading');
      await gate.opened;
      yield { sequence: 1, event: 'a' };
    },
    append: async () => {},
  };
  const { ref } = persistent(startSystem(), log, { recovered: () => void lines.push('recovered') });
  await until(() => lines.length > 0, { ...BOUND, what: 'it reads' });
  stop(ref);
  gate.open();
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  t.deepEqual(lines, ['reading']);
});
