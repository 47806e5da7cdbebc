import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { isLoopback } from '../model/loopback.js';
import { DEFAULT_CONNECT_TIMEOUT_MS, DEFAULT_QUERY_TIMEOUT_MS, STORE_FORMS } from '../store/address.js';
import { STORE_TLS_MODES, storeTlsProblem } from '../store/store-tls.js';
import {
  blocks,
  DAY_MS,
  file,
  GIB,
  host,
  integer,
  type KeyMeta,
  perAddress,
  secretFile,
  text,
} from './kinds.js';
import { listenTls } from './listen-tls.js';
import type { DeepReadonly } from './tree.js';
import { isSameAddress, otlpUrlProblem, pathProblem, storeUrlProblem, textProblem } from './values.js';

/** Every key, in the order people meet them. */
const sections = z.strictObject({
  listen: z
    .strictObject({
      host: host('0.0.0.0', 'Address agents connect to.'),
      port: integer(0, 65535, 7779, 'Port agents connect to; 0 takes any free one and prints it.'),
      maxConnections: integer(1, 1_000_000, 10_000, 'Open connections at most; further ones are rejected.'),
      maxBodyBytes: integer(
        1,
        65_527,
        65_527,
        'Longest frame body, in bytes; a longer one closes its connection.',
      ),
      maxInflightBytes: integer(
        1024,
        64 * GIB,
        67_108_864,
        'Bytes read from all sockets and not yet journaled; at this limit no socket is read.',
      ),
      frameTimeoutMs: integer(
        0,
        DAY_MS,
        30_000,
        'Longest time a frame, or a PROXY header, may stay incomplete while its socket is read, in milliseconds; 0 = no limit.',
      ),
      maxBadFrames: integer(
        1,
        1_000_000,
        10,
        'Undecodable frames in a row after which a connection is closed.',
      ),
      allow: blocks('Addresses that may connect, as CIDR blocks; none = all.'),
      deny: blocks('Addresses that may not connect, as CIDR blocks, whatever `allow` says.'),
      proxyFrom: blocks(
        'Balancers, as CIDR blocks: their connections begin with a PROXY header (version 1 or 2), and count as of the peer that it names.',
      ),
      verifyCaller: z
        .enum(['off', 'warn', 'reject'])
        .default('off')
        .describe(
          "Whether a report's caller must be the address it comes from: `warn` counts and logs others, `reject` refuses their rows. Callers 127.0.0.0/8 and 0.0.0.0 count as that address.",
        ),
      verifyExcept: blocks('Addresses that `verifyCaller` leaves alone, as CIDR blocks.'),
      perAddress: z
        .strictObject({
          connections: perAddress(
            1_000_000,
            '80 % of `listen.maxConnections`, at least 2000',
            'Open connections of one address at most; further ones are refused.',
          ),
          reportsPerSecond: perAddress(
            100_000_000,
            '100000',
            'Reports of one address a second at most; beyond, its sockets are read later, and nothing is lost.',
          ),
          keys: perAddress(
            1_000_000_000,
            '5000000',
            'Keys held for the store with values of one address, about; beyond, its sockets are read when the store has taken some.',
          ),
        })
        .prefault({}),
      tls: listenTls,
    })
    .prefault({}),
  writers: z
    .strictObject({
      count: integer(
        1,
        1024,
        4,
        'Partitions, each with its own writer and store connection; 3 to 4 keep one database server busy.',
      ),
      maxBatchRows: integer(1, 10_000, 2000, 'Rows in one upsert.'),
      rewriteMs: integer(
        0,
        60_000,
        400,
        'A key that was stored is written again after so many milliseconds at the earliest, with its newest value. New and quiet keys, and a change of `overload`, go at once; 0 = all do.',
      ),
      maxPendingKeys: z
        .int()
        .min(1024)
        .max(1_000_000_000)
        .optional()
        .describe(
          'Distinct keys held for the store, shared equally by the writers. Beyond it, batches that would add keys wait, and their agents are slowed. By default what 40 % of the memory holds.',
        )
        .meta({ unset: 'by memory' } satisfies KeyMeta),
    })
    .prefault({}),
  journal: z
    .strictObject({
      dir: text(pathProblem)
        .default('./data/journal')
        .describe('Folder of the journal; one process at a time uses it.')
        .meta({ place: 'path', expected: 'the path of a folder' } satisfies KeyMeta),
      groupMs: integer(
        0,
        1000,
        20,
        'After reports went to the journal, the next ones wait so many milliseconds for more to share a commit with. The first after a quiet moment, and a sender that can send no more, do not wait; 0 = none does.',
      ),
      snapshotBytes: integer(
        1024,
        64 * GIB,
        1_048_576,
        'Journal bytes of one partition after which a snapshot of its pending rows is taken and the journal truncated; at least four times the pending rows.',
      ),
    })
    .prefault({}),
  store: z
    .strictObject({
      url: text(storeUrlProblem)
        .default('embedded:./data/store')
        .describe(
          'Where rows end up: `embedded:DIR` (no server) or `mysql://user:password@host:port/database`; behind it `?ssl-mode=…`, `?socket=FILE`.',
        )
        .meta({
          place: 'store',
          expected: STORE_FORMS,
        } satisfies KeyMeta),
      passwordFile: secretFile('the password of `store.url`, which has none then', 'store.url'),
      tls: z
        .strictObject({
          mode: z
            .enum(STORE_TLS_MODES)
            .optional()
            .describe(
              'TLS to the database: `required` encrypts, `verify-ca` also verifies the certificate of the server, `verify-full` its host name, too.',
            )
            .meta({ unset: '`off`' } satisfies KeyMeta),
          ca: file(
            'Certificates (PEM) of the authorities that are trusted; by default those that Node knows.',
            {
              unset: 'those of Node',
            },
          ),
          cert: file('Certificate (PEM) that is shown to the database.'),
          key: file('Private key (PEM) of `store.tls.cert`; nobody but its user and group may read it.'),
        })
        .prefault({}),
      connectTimeoutMs: integer(
        1,
        DAY_MS,
        DEFAULT_CONNECT_TIMEOUT_MS,
        'Longest wait for a connection, in milliseconds.',
      ),
      queryTimeoutMs: integer(
        1,
        DAY_MS,
        DEFAULT_QUERY_TIMEOUT_MS,
        'Longest wait for a statement, in milliseconds; then its connection is closed and the rows are sent again.',
      ),
    })
    .superRefine(({ url, tls }, context) => {
      const found = storeTlsProblem(url, tls);
      if (found) context.addIssue({ code: 'custom', path: ['tls', found.key], message: found.problem });
    })
    .prefault({}),
  view: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe(
          'Whether the live view is kept, in a thread of its own; without it nothing of it is served.',
        ),
      freshS: integer(1, 86_400, 60, 'A caller counts so long after its last report, in seconds.'),
      holdS: integer(
        1,
        86_400,
        60,
        'A host is held for overloaded so long after a caller last said so, in seconds: agents take the flag back and set it again all the time.',
      ),
      errorShare: z
        .number()
        .min(0.001)
        .max(1)
        .default(0.1)
        .describe('Share of failed calls from which on a host or a service is failing.'),
      minCalls: integer(1, 1_000_000, 20, 'Calls that an error share needs.'),
      hideS: integer(
        1,
        31_536_000,
        900,
        'Services not heard for so long are left out of the list, in seconds; they can be asked for.',
      ),
      forgetS: integer(
        60,
        2_592_000,
        86_400,
        'What was not heard for so long is forgotten by the view, in seconds; the table keeps it.',
      ),
      maxRows: integer(
        1000,
        100_000_000,
        2_000_000,
        'Rows the view holds, of 100 to 600 bytes each, the more the fewer callers a host has; fewer where they would take more than 20 % of the memory. With more, or with more hosts than a quarter of it, a share of the callers is looked at, and answers say so.',
      ),
    })
    .prefault({}),
  history: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe(
          'Whether what the view sees is kept on disk: incidents and changes of 30 days, services by the minute of a day and by ten minutes of 14 days.',
        ),
      dir: text(pathProblem)
        .optional()
        .describe('Folder of the history; one process at a time uses it.')
        .meta({
          place: 'path',
          expected: 'the path of a folder',
          unset: '`./data/history`: `history` beside a `journal.dir` of the name `journal`, else in it',
        } satisfies KeyMeta),
      maxBytes: integer(
        33_554_432,
        1024 * GIB,
        GIB,
        'Bytes that its file takes at most; what is nearest to its end goes first.',
      ),
    })
    .prefault({}),
  names: z
    .record(z.string().regex(/^-?\d{1,10}(\/-?\d{1,10})?$/), z.string().min(1).max(255))
    .default({})
    .describe(
      'Names of services: of all with a `modid` (`4242`), or of one (`4242/17`). Others have those that the database has in `ModIDConfig` and `CmdIDConfig`, if any.',
    ),
  admin: z
    .strictObject({
      host: host('127.0.0.1', 'Address of the admin HTTP: health, metrics, ledger.'),
      port: integer(0, 65535, 7780, 'Port of the admin HTTP; 0 takes any free one and prints it.'),
      token: text(textProblem)
        .optional()
        .describe('Secret that HTTP clients present; required when `admin.host` is not a loopback address.')
        .meta({ secret: true, expected: 'a text that is not empty' } satisfies KeyMeta),
      viewToken: text(textProblem)
        .optional()
        .describe('Secret of HTTP clients that may read everything and change nothing.')
        .meta({ secret: true, expected: 'a text that is not empty' } satisfies KeyMeta),
      tokenFile: secretFile('`admin.token`', 'admin.token'),
      viewTokenFile: secretFile('`admin.viewToken`', 'admin.viewToken'),
      tls: z
        .strictObject({
          cert: file(
            'Certificate (PEM) of the admin HTTP, then those of the authorities in between; with it, only HTTPS is spoken. Read again when the configuration is.',
          ),
          key: file('Private key (PEM) of `admin.tls.cert`; nobody but its user and group may read it.'),
        })
        .superRefine(({ cert, key }, context) => {
          if ((cert === undefined) === (key === undefined)) return;
          const path = [cert === undefined ? 'cert' : 'key'];
          context.addIssue({ code: 'custom', path, message: 'certificate and key go together: give both' });
        })
        .prefault({}),
    })
    .superRefine((admin, context) => {
      if (admin.viewToken !== undefined && admin.viewToken === admin.token)
        context.addIssue({
          code: 'custom',
          path: ['viewToken'],
          message: 'is the same as admin.token, which may change everything: take another secret',
        });
      if (admin.token !== undefined || admin.tokenFile !== undefined || isLoopback(admin.host)) return;
      context.addIssue({
        code: 'custom',
        path: ['token'],
        message: `required because other machines can reach admin.host ${admin.host}: set a secret, or bind 127.0.0.1`,
      });
    })
    .prefault({}),
  keeper: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe(
          'Whether `serve` runs under a parent that keeps connections: they outlive crashes, upgrades and changes of the configuration.',
        ),
    })
    .prefault({}),
  shutdown: z
    .strictObject({
      drainMs: integer(
        0,
        DAY_MS,
        20_000,
        'Longest time a drain waits for pending rows to be stored, in milliseconds; the others stay in the journal.',
      ),
    })
    .prefault({}),
  supervision: z
    .strictObject({
      maxRestarts: integer(
        0,
        10_000,
        10,
        'Crashes of one writer within `supervision.periodMs` before it counts as failing; restarts go on at the slowest pace.',
      ),
      periodMs: integer(1, DAY_MS, 60_000, 'Window in which crashes are counted, in milliseconds.'),
      backoffMs: integer(0, DAY_MS, 50, 'Pause before the first restart, in milliseconds; it doubles.'),
      maxBackoffMs: integer(0, DAY_MS, 5000, 'Longest pause before a restart, in milliseconds.'),
    })
    .superRefine((supervision, context) => {
      if (supervision.maxBackoffMs >= supervision.backoffMs) return;
      context.addIssue({
        code: 'custom',
        path: ['maxBackoffMs'],
        message: `expected at least supervision.backoffMs, which is ${supervision.backoffMs}`,
      });
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
        .default('info')
        .describe('Least severe level that is logged; JSON lines on stderr, readable on a terminal.'),
    })
    .prefault({}),
  telemetry: z
    .strictObject({
      otlpUrl: text(otlpUrlProblem)
        .optional()
        .describe(
          'OpenTelemetry collector that gets traces and metrics by OTLP over HTTP, such as `http://127.0.0.1:4318`; needs packages that are installed beside, see docs/operations.md.',
        )
        .meta({ unset: 'off', expected: 'an address such as http://127.0.0.1:4318' } satisfies KeyMeta),
      sampleRatio: z
        .number()
        .min(0)
        .max(1)
        .default(0.01)
        .describe('Share of batches that are traced; 0 = metrics only.'),
      metricsIntervalS: integer(1, 3600, 60, 'Metrics are sent so often, in seconds.'),
    })
    .prefault({}),
});

/** The configuration. Unknown keys are errors. */
export const schema = sections
  .superRefine(({ listen, admin }, context) => {
    const places = [
      { key: 'listen.port', path: ['listen', 'port'], host: listen.host, port: listen.port },
      {
        ...{ key: 'listen.tls.port', path: ['listen', 'tls', 'port'] },
        ...{ host: listen.tls.host ?? listen.host, port: listen.tls.port ?? 0 },
      },
      { key: 'admin.port', path: ['admin', 'port'], host: admin.host, port: admin.port },
    ];
    for (const [index, { path, host, port }] of places.entries()) {
      const other = places
        .slice(0, index)
        .find((one) => port !== 0 && one.port === port && isSameAddress(one.host, host));
      if (!other) continue;
      const message = `${other.key} is the same, on the same address: give one of them another port`;
      context.addIssue({ code: 'custom', path, message });
    }
  })
  .transform((config) => {
    const { history, journal } = config;
    return { ...config, history: { ...history, dir: history.dir ?? historyBeside(journal.dir) } };
  });

/** Where the history is, unless it is said: both have the names they have by default, or it is in a folder that is ours. */
function historyBeside(journalDir: string): string {
  return join(basename(journalDir) === 'journal' ? dirname(journalDir) : journalDir, 'history');
}

/** A whole, checked configuration: every key has its value, relative paths are resolved. Frozen. */
export type Config = DeepReadonly<z.output<typeof schema>>;

/** What embedders pass: any part of the configuration; what is left out has its default. */
export type ConfigInput = DeepReadonly<z.input<typeof schema>>;
