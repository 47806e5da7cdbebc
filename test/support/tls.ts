import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectPlain, type Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { ExecutionContext } from 'ava';
import { encodeReportFrame } from '../../src/client/encode.js';
import type { AgentTls } from '../../src/client/index.js';
import { type ConfigInput, type Reporter, startReporter } from '../../src/index.js';
import { MemoryStore, numberedReport } from '../../src/testing/index.js';
import { until } from '../../src/testing/until.js';
import { TestAuthority, type TestCertificate } from '../../tools/shared/certificates.js';
import { tempDir } from './temp.js';

export const BOUND = { boundMs: 20_000 };

/** Node hands on what a plain socket takes, its declaration does not name it. */
export type DialOptions = ConnectionOptions & { readonly localAddress?: string };
export type TlsKeys = NonNullable<NonNullable<ConfigInput['listen']>['tls']>;
type Listen = NonNullable<ConfigInput['listen']>;

export interface Warning {
  readonly peer?: string;
  readonly kind?: string;
  readonly message: string;
}

/** A certificate as an agent shows it. */
export function shownBy(authority: TestAuthority, certificate?: TestCertificate): AgentTls {
  return {
    ca: readFileSync(authority.ca),
    ...(certificate ? { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) } : {}),
  };
}

/** A reporter in this process that speaks TLS, and agents of it. */
export class TlsSite {
  readonly authority: TestAuthority;
  readonly own: TestCertificate;
  readonly reporter: Reporter;
  readonly store: MemoryStore;
  readonly warnings: Warning[];
  readonly #t: ExecutionContext;

  private constructor(
    t: ExecutionContext,
    parts: Pick<TlsSite, 'authority' | 'own' | 'reporter' | 'store' | 'warnings'>,
  ) {
    this.#t = t;
    this.authority = parts.authority;
    this.own = parts.own;
    this.reporter = parts.reporter;
    this.store = parts.store;
    this.warnings = parts.warnings;
  }

  static async start(
    t: ExecutionContext,
    keys: TlsKeys | ((authority: TestAuthority) => TlsKeys) = {},
    listen: Listen = {},
  ): Promise<TlsSite> {
    const dir = tempDir(t);
    const authority = new TestAuthority(dir);
    const own = authority.issue();
    const store = new MemoryStore();
    const warnings: Warning[] = [];
    const note = (fields: object, message: string) => void warnings.push({ ...fields, message });
    const reporter = await startReporter(
      {
        listen: {
          ...{ host: '127.0.0.1', port: 0, ...listen },
          tls: { port: 0, ...own, ...(typeof keys === 'function' ? keys(authority) : keys) },
        },
        admin: { port: 0 },
        view: { enabled: false },
        journal: { dir: `${dir}/journal` },
      },
      { store, logger: { debug: () => {}, info: () => {}, warn: note, error: note } },
    );
    t.teardown(() => reporter.stop());
    return new TlsSite(t, { authority, own, reporter, store, warnings });
  }

  get port(): number {
    return this.reporter.secureAddress!.port;
  }

  get tls() {
    return this.reporter.status().traffic.tls;
  }

  /** A socket with TLS, whatever comes of it: `secureConnect` is not waited for. */
  dial(options: DialOptions = {}): TLSSocket {
    const socket = connect({
      ...{ host: '127.0.0.1', port: this.port, ca: readFileSync(this.authority.ca) },
      ...options,
    });
    socket.on('error', () => {});
    this.#t.teardown(() => void socket.destroy());
    return socket;
  }

  async secured(options: DialOptions = {}): Promise<TLSSocket> {
    const socket = this.dial(options);
    await once(socket, 'secureConnect');
    return socket;
  }

  /** A socket without TLS to the port with TLS. */
  async bare({ port = this.port, localAddress = '127.0.0.1', host = '127.0.0.1' } = {}): Promise<Socket> {
    const socket = connectPlain({ host, port, ...(host === '127.0.0.1' ? { localAddress } : {}) });
    socket.on('error', () => {});
    this.#t.teardown(() => void socket.destroy());
    await once(socket, 'connect');
    return socket;
  }

  async failed(reason: keyof TlsSite['tls']['failed'], count = 1): Promise<void> {
    await until(() => this.tls.failed[reason] === count, { ...BOUND, what: `${count} failed for ${reason}` });
  }

  /** Waits until a report of this number is stored. */
  async stored(number: number): Promise<void> {
    await until(() => [...this.store.rows.values()].some(({ succ }) => succ === number), {
      ...BOUND,
      what: `report ${number} to be stored`,
    });
  }
}

export const frameOf = (service: number, round = 1, hosts = 1) =>
  encodeReportFrame(numberedReport(service, 1, hosts, round));

/** Resolves when it is over, to how. Rejects when it is not in time. */
export function endOf(socket: Socket): Promise<'end' | 'error' | 'closed'> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('waited in vain for its end')), BOUND.boundMs);
    const over = (how: 'end' | 'error' | 'closed') => {
      clearTimeout(late);
      resolve(how);
    };
    socket.once('error', () => over('error'));
    socket.once('end', () => over('end'));
    socket.once('close', () => over('closed'));
    socket.resume();
  });
}
