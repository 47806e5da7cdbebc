import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { HostileAgent, hostileStream, until } from '../../../src/testing/index.js';
import type { Site } from '../site.js';
import { type Fault, pick, Repeated } from './fault.js';

const shape = { shortestMs: 500, longestMs: 3500 };
/** Hostile connections of one fault at a time: the good ones must find room beside them. */
const MOST_HELD = 20;
/** Connections beyond those that are taken. */
const FLOOD_BEYOND = 60;
const BOUND_MS = 90_000;

/** Connections that are held open by a fault, each until its end at the latest. */
class Held {
  readonly #agents = new Set<HostileAgent>();

  get count(): number {
    return this.#agents.size;
  }

  add(agent: HostileAgent): void {
    this.#agents.add(agent);
    void agent.closed.then(() => this.#agents.delete(agent));
  }

  async end(): Promise<void> {
    await Promise.all([...this.#agents].map((agent) => agent.reset()));
  }
}

/** Peers that send what no agent does. The agents beside them must not notice. */
export function hostileFaults(site: Site): Fault[] {
  return [garbage(site), claims(site), resets(site), handshakes(site), flood(site)];
}

/** Streams of good and bad frames, damaged bodies and bytes of chance, cut anywhere. */
function garbage({ ports }: Site): Fault {
  const held = new Held();
  const sending = new Repeated();
  return {
    ...shape,
    name: 'garbage sent',
    group: 'garbage',
    begin: async (random) =>
      sending.start(async () => {
        if (held.count >= MOST_HELD) return 20;
        const agent = await HostileAgent.connect({ port: ports.agents });
        held.add(agent);
        const { bytes, cuts } = hostileStream(Math.floor(random() * 0x1_0000_0000));
        await agent.sendSplit(bytes, cuts);
        // Some stay, half open, with whatever they left unfinished.
        const farewell = pick(['close', 'reset', 'stay'] as const, random);
        if (farewell === 'close') agent.destroy();
        if (farewell === 'reset') await agent.reset();
        return random() * 20;
      }),
    end: async () => {
      await sending.stop();
      await held.end();
    },
  };
}

/** Headers that claim much with little behind them, and half frames, then silence. */
function claims({ ports }: Site): Fault {
  const held = new Held();
  const sending = new Repeated();
  return {
    ...shape,
    name: 'much claimed',
    group: 'claims',
    begin: async (random) =>
      sending.start(async () => {
        if (held.count >= MOST_HELD) return 20;
        const agent = await HostileAgent.connect({ port: ports.agents });
        held.add(agent);
        const bodyBytes = pick([65_527, 65_527, 30_000, 1, -1, 65_528, 0x7fffffff], random);
        await agent.claim(bodyBytes, { sent: new Uint8Array(Math.floor(random() * 40)) });
        agent.vanish();
        return random() * 60;
      }),
    end: async () => {
      await sending.stop();
      await held.end();
    },
  };
}

/** Connections that are opened and reset at once, or after a few bytes. */
function resets({ ports }: Site): Fault {
  const sending = new Repeated();
  return {
    ...shape,
    name: 'connections reset',
    group: 'resets',
    begin: async (random) =>
      sending.start(async () => {
        const agents = await Promise.all(
          Array.from({ length: MOST_HELD / 2 }, () => HostileAgent.connect({ port: ports.agents })),
        );
        for (const agent of agents) {
          if (random() < 0.5) await agent.sendBad(1 + Math.floor(random() * 15));
          await agent.reset();
        }
        return random() * 50;
      }),
    end: () => sending.stop(),
  };
}

/** The beginning of a record of TLS. */
const RECORD = Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 252]);

/** Handshakes that are begun and left, bytes that are none, and some that are completed. */
function handshakes({ ports, authority }: Site): Fault {
  const held = new Held();
  const sending = new Repeated();
  const ca = readFileSync(authority.ca);
  return {
    ...shape,
    name: 'handshakes begun',
    group: 'handshakes',
    begin: async (random) =>
      sending.start(async () => {
        if (random() < 0.2) {
          const socket = connect({ host: '127.0.0.1', port: ports.tls, ca });
          await Promise.race([once(socket, 'secureConnect'), once(socket, 'close')]).catch(() => {});
          socket.on('error', () => {}).destroy();
          return random() * 20;
        }
        if (held.count >= MOST_HELD) return 20;
        const agent = await HostileAgent.connect({ port: ports.tls });
        held.add(agent);
        const { bytes } = hostileStream(Math.floor(random() * 0x1_0000_0000));
        await agent.sendBytes(pick([RECORD, Buffer.concat([RECORD, bytes]), bytes, Buffer.alloc(0)], random));
        if (random() < 0.3) await agent.reset();
        return random() * 20;
      }),
    end: async () => {
      await sending.stop();
      await held.end();
    },
  };
}

/** More connections than the reporter takes. */
function flood(site: Site): Fault {
  const { ports, maxConnections, admin, options } = site;
  const { signal } = options;
  const held = new Held();
  const connecting = new Repeated();
  const answered = () =>
    until(async () => signal.aborted || (await admin.status()), {
      boundMs: BOUND_MS,
      what: 'the reporter to answer in front of a flood',
    });
  return {
    ...shape,
    name: 'connections flooding',
    // A reporter that is paused in front of it accepts good and bad ones afterwards, in one go.
    group: 'reporter',
    begin: async () => {
      site.flooded(true);
      // When it has answered twice, every connection that was made before is accepted.
      await answered();
      await answered();
      connecting.start(async () => {
        if (held.count >= maxConnections + FLOOD_BEYOND) return 20;
        held.add(await HostileAgent.connect({ port: ports.agents }));
        return 0;
      });
    },
    end: async () => {
      await connecting.stop();
      await held.end();
      await until(
        async () =>
          signal.aborted || (await admin.status()).traffic.connections < maxConnections - 3 * MOST_HELD,
        { boundMs: BOUND_MS, what: 'the flood to have run off' },
      );
      site.flooded(false);
    },
  };
}
