import { setTimeout as sleep } from 'node:timers/promises';
import type { JetStreamClient, JetStreamManager, MsgRequest, StreamConfig } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { errorOf, messageOf, ReporterError } from '../../model/errors.js';
import { decodeLabel, encodeLabel, LABEL, type Label, type Stored } from './label.js';
import type { NatsPackages } from './nats-packages.js';
import { askServers, problemOf } from './server-versions.js';

/** Longest time until an answer; what is not answered is asked for again. */
const ANSWER_MS = 4000;
/** For what need not work. */
const IMPATIENT_MS = 1000;
/** How long one attempt waits for a connection. */
const CONNECTION_MS = 1000;
const RECONNECT_MS = 250;
const PING_MS = 3000;
/** How soon servers are looked at again, one of which was too old. */
const LOOK_AGAIN_MS = 5000;
/** A consumer that nobody reads goes after so long. */
const CONSUMER_IDLE_NS = 30e9;
/** Bytes that a reader has asked for and not yet read. */
const READ_AHEAD_BYTES = 4 * 1024 * 1024;

export interface LinkOptions {
  /** Addresses of servers, `host:port`. */
  readonly servers: readonly string[];
  /** Name of the connection, for people who look at a server. */
  readonly name: string;
  /** How long the first connection may take. */
  readonly openMs: number;
}

interface Clients {
  readonly client: NatsConnection;
  readonly manager: JetStreamManager;
  readonly impatient: JetStreamManager;
}

/** An append whose condition did not hold. */
export class Refused extends Error {}

/** Messages of a stream as they come. */
export interface Reading extends AsyncIterable<Stored> {
  end(): void;
}

/**
 * The connection to the servers. It is never given up. Each call is one attempt, and rejects as soon as the connection
 * is lost; who asked tries again.
 */
export class Link {
  readonly #packages: NatsPackages;
  readonly #options: LinkOptions;
  readonly #client: NatsConnection;
  readonly #js: JetStreamClient;
  readonly #manager: JetStreamManager;
  /** Waits for its answers no longer than is worth it. */
  readonly #impatient: JetStreamManager;
  /** Attempts under way. */
  readonly #pending = new Set<(error: Error) => void>();
  /** Attempts that wait for a connection. */
  #waiting = new Set<() => void>();
  #isConnected = true;
  #isClosed = false;
  #maxPayload: number;
  #problem: Error | undefined;

  /** Connects. Rejects with ReporterError JOURNAL_UNUSABLE when no server answers in time, or one must not be used. */
  static async open(packages: NatsPackages, options: LinkOptions): Promise<Link> {
    const { transport } = packages;
    const client = await within(options.openMs, `no server of ${options.servers.join()} can be reached`, () =>
      transport.connect({
        servers: [...options.servers],
        name: options.name,
        maxReconnectAttempts: -1,
        // A server that is set up anew may know nobody for a time.
        ignoreAuthErrorAbort: true,
        reconnectTimeWait: RECONNECT_MS,
        reconnectJitter: RECONNECT_MS,
        timeout: ANSWER_MS,
        pingInterval: PING_MS,
        maxPingOut: 2,
        noAsyncTraces: true,
      }),
    );
    const { jetstreamManager } = packages.jetstream;
    const manager = await jetstreamManager(client, API);
    const impatient = await jetstreamManager(client, { ...API, timeout: IMPATIENT_MS });
    const link = new Link(packages, options, { client, manager, impatient });
    await link.#look();
    if (link.#problem) {
      await link.close();
      throw link.#problem;
    }
    return link;
  }

  private constructor(packages: NatsPackages, options: LinkOptions, { client, manager, impatient }: Clients) {
    this.#packages = packages;
    this.#options = options;
    this.#client = client;
    this.#manager = manager;
    this.#impatient = impatient;
    this.#js = packages.jetstream.jetstream(client, API);
    this.#maxPayload = client.info?.max_payload ?? 0;
    void this.#watch();
  }

  /** Largest message that all servers take, headers included. */
  get maxPayload(): number {
    return this.#maxPayload;
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.#client.status()) {
      if (type === 'disconnect') {
        this.#isConnected = false;
        this.#fail(this.#noConnection());
      }
      if (type === 'reconnect') {
        this.#isConnected = true;
        const waiting = this.#waiting;
        this.#waiting = new Set();
        for (const goOn of waiting) goOn();
      }
      if (type === 'reconnect' || type === 'update') void this.#look();
    }
  }

  /** Looks at all servers that can be reached. One that must not be used holds up everything until it is gone. */
  async #look(): Promise<void> {
    const { servers } = this.#options;
    const addresses = new Set([...servers, ...(this.#client.info?.connect_urls ?? [])]);
    const facts = await askServers(this.#packages, [...addresses]);
    if (this.#isClosed) return;
    if (facts.length > 0) this.#maxPayload = Math.min(...facts.map(({ max_payload }) => max_payload));
    this.#problem = problemOf(facts);
    if (this.#problem) setTimeout(() => void this.#look(), LOOK_AGAIN_MS).unref();
  }

  #noConnection(): Error {
    return new Error(`no connection to any NATS server of ${this.#options.servers.join()}`);
  }

  #fail(error: Error): void {
    for (const reject of this.#pending) reject(error);
  }

  /** What is asked while there is no connection would be kept, and sent, as often as it is asked: it waits here. */
  async #attempt<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw closed();
    if (!this.#isConnected) await this.#connection();
    if (this.#isClosed) throw closed();
    // Not a ReporterError: it passes when the server is gone, or newer.
    if (this.#problem) throw new Error(this.#problem.message);
    let fail = (_: Error) => {};
    try {
      return await new Promise<T>((resolve, reject) => {
        fail = reject;
        this.#pending.add(reject);
        ask().then(resolve, (error) => reject(refusalOf(error)));
      });
    } finally {
      this.#pending.delete(fail);
    }
  }

  async #connection(): Promise<void> {
    const ending = new AbortController();
    let goOn = () => {};
    try {
      await Promise.race([
        new Promise<void>((resolve) => {
          goOn = resolve;
          this.#waiting.add(resolve);
        }),
        sleep(CONNECTION_MS, undefined, { signal: ending.signal }).then(() =>
          Promise.reject(this.#noConnection()),
        ),
      ]);
    } finally {
      this.#waiting.delete(goOn);
      ending.abort();
    }
  }

  /** Resolves to the position of the message once a majority has it. Rejects with Refused when `condition` does not hold. */
  publish(subject: string, label: Label, body: Uint8Array, condition?: number): Promise<number> {
    const headers = this.#packages.transport.headers();
    headers.set(LABEL, encodeLabel(label));
    const expect = condition === undefined ? {} : { expect: { lastSubjectSequence: condition } };
    return this.#attempt(async () => (await this.#js.publish(subject, body, { headers, ...expect })).seq);
  }

  /** The last message of a subject; undefined when it has none. */
  last(stream: string, subject: string): Promise<Stored | undefined> {
    return this.#message(stream, { last_by_subj: subject }, subject);
  }

  #message(stream: string, query: MsgRequest, place: string) {
    return this.#attempt(async () => {
      const found = await this.#manager.streams.getMessage(stream, query);
      if (!found) return undefined;
      const label = decodeLabel(found.header.get(LABEL), `${stream}, ${place}`);
      return { position: found.seq, label, body: found.data };
    });
  }

  /** Removes the messages of a subject before a position. */
  purge(stream: string, subject: string, before: number): Promise<unknown> {
    return this.#attempt(() => this.#manager.streams.purge(stream, { filter: subject, seq: before }));
  }

  /** The settings of a stream; undefined when there is none. */
  stream(name: string): Promise<StreamConfig | undefined> {
    return this.#attempt(async () => {
      try {
        return (await this.#manager.streams.info(name)).config;
      } catch (error) {
        if (codeOf(error) === STREAM_NOT_FOUND) return undefined;
        throw error;
      }
    });
  }

  /** Another one of that name, with the same settings, is no error. */
  addStream(config: Partial<StreamConfig> & { name: string }): Promise<unknown> {
    return this.#attempt(() => this.#manager.streams.add(config));
  }

  /** The first message of a subject from a position on, as the leader has it; undefined when there is none. */
  next(stream: string, subject: string, from: number): Promise<Stored | undefined> {
    const query = { seq: Math.max(1, from), next_by_subj: subject };
    return this.#message(stream, query, `message ${from} or later`);
  }

  /**
   * Messages of some subjects from a position on, in order, by a consumer. It is placed on one server, which may have
   * gone: it rejects soon then.
   */
  async consume(stream: string, subjects: readonly string[], from: number, name: string): Promise<Reading> {
    const { AckPolicy, DeliverPolicy } = this.#packages.jetstream;
    const { consumers } = this.#impatient;
    const remove = () => void consumers.delete(stream, name).catch(() => {});
    const config = {
      name,
      filter_subjects: [...subjects],
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: Math.max(1, from),
      ack_policy: AckPolicy.None,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: CONSUMER_IDLE_NS,
    };
    try {
      const made = await this.#attempt(() => consumers.add(stream, config));
      const consumer = this.#js.consumers.getConsumerFromInfo(made);
      const max_bytes = Math.max(READ_AHEAD_BYTES, 2 * this.#maxPayload);
      const messages = await consumer.consume({ max_bytes, expires: 5000, idle_heartbeat: 1000 });
      return {
        async *[Symbol.asyncIterator]() {
          let delivered = 0;
          for await (const { seq, headers, data, info } of messages) {
            if (info.deliverySequence !== ++delivered)
              throw new Error('a message is missing in what was delivered');
            const label = decodeLabel(headers?.get(LABEL) ?? '', `${stream}, message ${seq}`);
            yield { position: seq, label, body: data };
          }
        },
        end: () => {
          messages.stop();
          remove();
        },
      };
    } catch (error) {
      remove();
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#fail(closed());
    for (const goOn of this.#waiting) goOn();
    await this.#client.close();
  }
}

/** Not asked for before the servers were looked at. */
const API = { timeout: ANSWER_MS, checkAPI: false };
const STREAM_NOT_FOUND = 10059;
/** Wrong last sequence; the second one when another append under the same condition is on its way. */
const REFUSALS: readonly unknown[] = [10071, 10164];

const codeOf = (error: unknown) => (error as { code?: unknown }).code;

function refusalOf(error: unknown): Error {
  return REFUSALS.includes(codeOf(error)) ? new Refused(messageOf(error), { cause: error }) : errorOf(error);
}

export function closed(): ReporterError {
  return new ReporterError('JOURNAL_UNUSABLE', 'the journal was closed');
}

/** Asks again and again until it works, or until the time is over: rejects with ReporterError JOURNAL_UNUSABLE then. */
export async function within<T>(ms: number, what: string, ask: () => Promise<T>): Promise<T> {
  const deadlineMs = performance.now() + ms;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof ReporterError) throw error;
      if (performance.now() >= deadlineMs)
        throw new ReporterError('JOURNAL_UNUSABLE', `${what} (${messageOf(error)})`, { cause: error });
      await sleep(RECONNECT_MS);
    }
  }
}
