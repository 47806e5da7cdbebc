/** Agents: sends prepared reports over as many connections as asked. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectSecure, createSecureContext } from 'node:tls';
import { framesOf, type Shape } from '../rows.js';
import { serve } from '../rpc.js';

const sockets: Socket[] = [];
let frames: Uint8Array[][] = [];
let shape: Shape = { agents: 0, services: 0, hosts: 0 };
let stopAsked = false;
let stopped: Promise<number> = Promise.resolve(0);
/** Connections opened at a time: more than a listen queue holds would be refused. */
const AT_A_TIME = 200;

const api = {
  /** Opens the connections; resolves when all are open. `ca`: the file of an authority, to speak TLS. */
  async connect({
    port,
    connections,
    ca,
  }: {
    port: number;
    connections: number;
    ca?: string;
  }): Promise<void> {
    const secureContext = ca === undefined ? undefined : createSecureContext({ ca: readFileSync(ca) });
    while (sockets.length < connections) {
      const some = Math.min(AT_A_TIME, connections - sockets.length);
      const opening = Array.from({ length: some }, async () => {
        const place = { port, host: '127.0.0.1', noDelay: true };
        const socket = secureContext ? connectSecure({ ...place, secureContext }) : connect(place);
        // Its end shows in the numbers; the reporter may be killed on purpose.
        socket.on('error', () => {});
        await once(socket, secureContext ? 'secureConnect' : 'connect');
        return socket;
      });
      sockets.push(...(await Promise.all(opening)));
    }
  },

  /** Encodes what is sent next; `versions` of it, one after the other, 1 unless given. */
  prepare(next: { shape: Shape; version: number; versions?: number }): void {
    shape = next.shape;
    frames = Array.from({ length: shape.agents }, (_, agent) =>
      Array.from({ length: next.versions ?? 1 }, (_, more) =>
        framesOf(shape, agent, next.version + more),
      ).flat(),
    );
  },

  /** Every agent sends all its reports once; resolves when the system has taken them. */
  async sendAll(): Promise<void> {
    await Promise.all(
      frames.map(
        (own, agent) => new Promise<unknown>((resolve) => sockets[agent]!.write(Buffer.concat(own), resolve)),
      ),
    );
  },

  /** Every agent sends all its reports over and over, as fast as TCP takes them, `rounds` times or until `stop`. */
  flood({ rounds = Number.POSITIVE_INFINITY }: { rounds?: number }): void {
    stopAsked = false;
    const sending = frames.map(async (own, agent) => {
      const socket = sockets[agent]!;
      const block = Buffer.concat(own);
      let sent = 0;
      for (; sent < rounds && !stopAsked; sent++) {
        if (!socket.write(block)) await once(socket, 'drain');
        else await new Promise(setImmediate);
      }
      return sent * shape.services * shape.hosts;
    });
    stopped = Promise.all(sending).then((rows) => rows.reduce((sum, each) => sum + each, 0));
  },

  /** Agents in turn send `together` reports, 1 unless given, in a write, `rowsPerSecond` in all, until `stop`. */
  pace({ rowsPerSecond, together = 1 }: { rowsPerSecond: number; together?: number }): void {
    stopAsked = false;
    stopped = new Promise((resolve) => {
      const began = performance.now();
      let sent = 0;
      const turn = () => {
        if (stopAsked) return resolve(sent * together * shape.hosts);
        const due = ((performance.now() - began) / 1000) * (rowsPerSecond / shape.hosts / together);
        for (; sent < due; sent++) {
          const agent = sent % shape.agents;
          const own = frames[agent]!;
          const next = Math.floor(sent / shape.agents) * together;
          const socket = sockets[agent]!;
          if (together > 1) socket.cork();
          for (let more = 0; more < together; more++) socket.write(own[(next + more) % own.length]!);
          if (together > 1) socket.uncork();
        }
        setTimeout(turn, 1);
      };
      turn();
    });
  },

  /** Ends `flood` or `pace`; resolves to the rows sent by it. */
  stop(): Promise<number> {
    stopAsked = true;
    return stopped;
  },
};

export type LoadApi = typeof api;
serve(api);
