import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { HandshakeFailure, Traffic } from '../../model/traffic.js';
import { FrameClock } from '../frame-clock.js';
import { buffered } from '../past.js';
import { failureOf } from './handshake-error.js';
import { certificateOf, type PeerCertificate, type Refusal, refusalOf } from './peer-certificate.js';
import { socketBeneath } from './secured-socket.js';
import type { TlsFiles, TlsRules } from './tls-files.js';
import { WaitingLine } from './waiting-line.js';

/** Who takes streams that are secure. */
export interface HandshakeReceiver {
  /** `socket` is the stream, `beneath` the one it came on. */
  onSecured(socket: TLSSocket, beneath: Socket, peer: string): void;
  /** It came to nothing; the stream is closed. */
  onFailed(peer: string, reason: HandshakeFailure, why: string): void;
}

interface Handshake {
  readonly socket: Socket;
  readonly peer: string;
  readonly clock: FrameClock;
  readonly onClose: () => void;
  /** Bytes of it that came before TLS. */
  readonly bytesBefore: number;
  /** When its turn came; undefined while it waits. */
  beganMs?: number;
}

/** A turn of the event loop has time for agents beside so many new handshakes. */
const BEGUN_A_TURN = 4;
/** While others wait, a handshake that is not over after so long gives up its place. */
const PATIENCE_MS = 2000;
/** One address has this share of the places at most. */
const SHARE_OF_AN_ADDRESS = 0.5;
/** The time of a handshake is measured here; Node has no way to measure none. */
const NODES_OWN_LIMIT_MS = 86_400_000;

/**
 * Makes sockets secure, which are not read yet and whose peers may connect.
 *
 * Handshakes take the processor, and a peer may begin one and leave it. So there are `maxHandshakes` at a time; who comes
 * then waits, unread, and the addresses have their turn one after the other. One address has half of the places at most,
 * and a handshake that takes long gives up its place when others wait: who begins many and ends none keeps nobody out.
 */
export class Handshakes {
  readonly #rules: TlsRules;
  readonly #receiver: HandshakeReceiver;
  readonly #traffic: Traffic['tls'];
  readonly #all = new Map<Socket, Handshake>();
  readonly #line = new WaitingLine<Handshake>();
  /** Under way, the oldest first. */
  readonly #running = new Set<Handshake>();
  readonly #runningOf = new Map<string, number>();
  readonly #certificates = new WeakMap<Socket, PeerCertificate>();
  #server: Server;
  #isHeld = false;
  #turn: NodeJS.Immediate | undefined;
  #patience: NodeJS.Timeout | undefined;

  /** The rules are asked for each time: they may change. */
  constructor(rules: TlsRules, files: TlsFiles, traffic: Traffic['tls'], receiver: HandshakeReceiver) {
    this.#rules = rules;
    this.#traffic = traffic;
    this.#receiver = receiver;
    this.#server = this.#serverWith(files);
  }

  /** Handshakes under way and those that wait. */
  get size(): number {
    return this.#all.size;
  }

  /** Of an address. */
  countOf(peer: string): number {
    return this.#line.countOf(peer) + (this.#runningOf.get(peer) ?? 0);
  }

  /** Handshakes that begin from now on use these files, and the rules as they are. */
  use(files: TlsFiles): void {
    this.#server = this.#serverWith(files);
    this.#pump();
  }

  /** Takes a socket that does not flow. `bytesBefore`: what was read of it and is not TLS. */
  add(socket: Socket, peer: string, bytesBefore = 0): void {
    const clock = new FrameClock(
      () => this.#rules.handshakeTimeoutMs,
      // What has come already is looked at first: timers run before sockets.
      () => setImmediate(() => this.#late(handshake)),
    );
    const onClose = () => this.#closed(handshake);
    const handshake: Handshake = { socket, peer, clock, onClose, bytesBefore };
    socket.on('close', handshake.onClose);
    // A reset says no more than the close that follows it.
    socket.on('error', () => {});
    this.#all.set(socket, handshake);
    this.#line.add(peer, handshake);
    this.#traffic.pending = this.#all.size;
    clock.start();
    this.#pump();
  }

  /** Gives up one that waits or is under way, of the address that has the most. Whether there was one. */
  makeRoom(): boolean {
    const longest = this.#line.longest();
    const [oldest] = this.#running;
    const one = longest === undefined ? oldest : this.#line.lastOf(longest);
    if (one) this.#fail(one, 'full', TOO_MANY);
    return one !== undefined;
  }

  /** Gives up one that waits, of the address of which the most wait, for one of `peer`, of which fewer do. Whether there was one. */
  makeRoomFor(peer: string): boolean {
    const longest = this.#line.longest();
    if (longest === undefined || this.#line.countOf(longest) <= this.countOf(peer) + 1) return false;
    this.#fail(this.#line.lastOf(longest)!, 'full', TOO_MANY);
    return true;
  }

  /** Why the peer of a secure stream may not send any more, as the rules are now; undefined when it may. */
  refusalOf(socket: Socket): Refusal | undefined {
    return refusalOf(this.#certificates.get(socket), this.#rules, Date.now());
  }

  /** Nothing begins until `release`; what is under way is given up: nobody could go on with it. */
  hold(): void {
    this.#isHeld = true;
    for (const handshake of [...this.#running]) this.#drop(handshake);
  }

  release(): void {
    this.#isHeld = false;
    this.#pump();
  }

  /** Gives up those that wait for another process, in one turn: closes this one's copies, and tells what was read. */
  *detach(): Generator<readonly [Socket, string, Buffer]> {
    for (const { socket, peer } of [...this.#line]) {
      this.#forget(this.#all.get(socket)!);
      const rest = Buffer.concat(buffered(socket));
      socket.destroy();
      yield [socket, peer, rest];
    }
  }

  close(): void {
    this.#isHeld = true;
    for (const handshake of [...this.#all.values()]) this.#drop(handshake);
  }

  #serverWith({ own, authorities }: TlsFiles): Server {
    // It does not listen: sockets are handed to it.
    const server = createServer({
      ...{ cert: own.cert, key: own.key, ca: authorities?.pem ?? [] },
      minVersion: 'TLSv1.2',
      // Each connection shows its certificate anew; whoever asks for new keys again and again would keep us busy.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
      requestCert: this.#rules.clientAuth !== 'none',
      // Looked at below, where it can be said what is wrong.
      rejectUnauthorized: false,
      handshakeTimeout: NODES_OWN_LIMIT_MS,
    });
    const isVerified = authorities !== undefined;
    server.on('secureConnection', (socket) => this.#secured(socket, isVerified));
    server.on('tlsClientError', (error, socket) => {
      const handshake = this.#of(socket);
      // One that has closed was told before.
      if (handshake) this.#failed(handshake, error);
    });
    return server;
  }

  #of(secured: TLSSocket): Handshake | undefined {
    const beneath = socketBeneath(secured);
    return beneath && this.#all.get(beneath);
  }

  #secured(socket: TLSSocket, isVerified: boolean): void {
    const handshake = this.#of(socket);
    if (!handshake) {
      socket.destroy();
      return;
    }
    const { peer, socket: beneath } = handshake;
    const shown = socket.getPeerX509Certificate();
    if (shown) {
      const isTrusted = isVerified && socket.authorized;
      // A text, whatever its declaration says.
      const problem = socket.authorizationError as unknown as string | undefined;
      this.#certificates.set(socket, certificateOf(shown, isTrusted, problem));
    }
    const refusal = this.refusalOf(socket);
    if (refusal) {
      this.#fail(handshake, refusal.reason, refusal.why);
      return;
    }
    this.#forget(handshake);
    this.#receiver.onSecured(socket, beneath, peer);
    this.#pump();
  }

  #late(handshake: Handshake): void {
    if (!this.#all.has(handshake.socket)) return;
    const { handshakeTimeoutMs } = this.#rules;
    if (handshake.beganMs === undefined)
      this.#fail(handshake, 'full', `${TOO_MANY}; its turn did not come within ${handshakeTimeoutMs} ms`);
    else this.#fail(handshake, 'timeout', `it was not over within ${handshakeTimeoutMs} ms`);
  }

  /** Node has destroyed it, or is about to. */
  #failed(handshake: Handshake, error: Error): void {
    const isNews = hasSpoken(handshake);
    this.#drop(handshake);
    if (isNews) this.#tell(handshake, error);
  }

  #closed(handshake: Handshake): void {
    const isNews = hasSpoken(handshake);
    this.#forget(handshake);
    this.#pump();
    if (isNews) this.#tell(handshake, new Error('closed'));
  }

  #tell({ peer }: Handshake, error: Error): void {
    const { reason, why } = failureOf(error);
    this.#receiver.onFailed(peer, reason, why);
  }

  #fail(handshake: Handshake, reason: HandshakeFailure, why: string): void {
    this.#forget(handshake);
    handshake.socket.resetAndDestroy();
    this.#receiver.onFailed(handshake.peer, reason, why);
    this.#pump();
  }

  #drop(handshake: Handshake): void {
    this.#forget(handshake);
    handshake.socket.destroy();
    this.#pump();
  }

  /** Nothing of it is left here; its place is free. */
  #forget(handshake: Handshake): void {
    const { socket, peer, clock, onClose } = handshake;
    clock.end();
    socket.off('close', onClose);
    if (!this.#all.delete(socket)) return;
    this.#traffic.pending = this.#all.size;
    this.#line.remove(peer, handshake);
    if (!this.#running.delete(handshake)) return;
    const left = (this.#runningOf.get(peer) ?? 0) - 1;
    if (left > 0) this.#runningOf.set(peer, left);
    else this.#runningOf.delete(peer);
  }

  /** Handshakes begin in turns to come, so that agents have their time in between. */
  #pump(): void {
    if (this.#line.size > 0 && !this.#isHeld) this.#turn ??= setImmediate(() => this.#begin());
  }

  #begin(): void {
    this.#turn = undefined;
    const { maxHandshakes } = this.#rules;
    for (let begun = 0; !this.#isHeld && this.#running.size < maxHandshakes; begun++) {
      if (begun === BEGUN_A_TURN) {
        this.#pump();
        return;
      }
      const handshake = this.#line.next(this.#mayRun);
      if (!handshake) break;
      this.#run(handshake);
    }
    if (!this.#isHeld) this.#losePatience();
  }

  #run(handshake: Handshake): void {
    const { socket, peer } = handshake;
    handshake.beganMs = performance.now();
    this.#running.add(handshake);
    this.#runningOf.set(peer, (this.#runningOf.get(peer) ?? 0) + 1);
    this.#server.emit('connection', socket);
  }

  /** Its address has not its share of the places yet. */
  readonly #mayRun = (peer: string): boolean =>
    (this.#runningOf.get(peer) ?? 0) < Math.ceil(this.#rules.maxHandshakes * SHARE_OF_AN_ADDRESS);

  /** The oldest handshake for whose place somebody waits: of the same address, or of any when no place is free. */
  #oldestAwaited(): Handshake | undefined {
    const isFull = this.#running.size >= this.#rules.maxHandshakes;
    const isAny = isFull && this.#line.some(this.#mayRun);
    for (const handshake of this.#running)
      if (isAny || this.#line.countOf(handshake.peer) > 0) return handshake;
    return undefined;
  }

  /** Others wait: the oldest handshake whose place they could have has so much time and no more. */
  #losePatience(): void {
    if (this.#patience || this.#line.size === 0) return;
    const oldest = this.#oldestAwaited();
    if (!oldest) return;
    const leftMs = PATIENCE_MS - (performance.now() - oldest.beganMs!);
    this.#patience = setTimeout(
      () => {
        this.#patience = undefined;
        // What has come already is looked at first.
        setImmediate(() => {
          const isStill = this.#oldestAwaited() === oldest;
          if (isStill && performance.now() - oldest.beganMs! >= PATIENCE_MS)
            this.#fail(
              oldest,
              'timeout',
              `it was not over within ${PATIENCE_MS} ms, and others waited for its place`,
            );
          this.#pump();
        });
      },
      Math.max(0, leftMs),
    ).unref();
  }
}

const TOO_MANY = 'too many connections wait for a handshake (listen.tls.maxHandshakes)';

/** A health check, for example, leaves without a word, in order or with a reset. */
function hasSpoken({ socket, bytesBefore, beganMs }: Handshake): boolean {
  return socket.bytesRead > bytesBefore && beganMs !== undefined;
}
