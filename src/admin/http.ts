import { once } from 'node:events';
import {
  createServer as createPlainServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { messageOf, ReporterError } from '../model/errors.js';
import type { Logger } from '../model/log.js';
import { type CertificateSetting, readServerCertificate } from '../model/server-certificate.js';
import type { Address } from '../model/status.js';
import { Sessions } from './browser-sessions.js';
import { Guard, isRead } from './guard.js';
import { type HandleOptions, HostedRequests } from './hosted.js';
import { type Answer, failure, type Route } from './route.js';
import { type StatusSources, statusRoutes } from './routes.js';
import { sessionRoutes } from './session-routes.js';

/** How much one client may take of the server. */
export interface AdminLimits {
  /** Connections at a time; a further one is closed. */
  readonly maxConnections: number;
  /** Bytes of all headers of a request. */
  readonly maxHeaderBytes: number;
  readonly maxBodyBytes: number;
  /** Milliseconds a client has for the headers of a request. */
  readonly headersMs: number;
  /** Milliseconds a client has for a whole request. */
  readonly requestMs: number;
  /** Milliseconds a connection may wait for its next request. */
  readonly keepAliveMs: number;
  /** Milliseconds in which nothing moves on a connection in use. */
  readonly idleMs: number;
}

const LIMITS: AdminLimits = {
  maxConnections: 256,
  maxHeaderBytes: 16_384,
  maxBodyBytes: 65_536,
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 10_000,
  idleMs: 60_000,
};

/** Sent with every answer. */
const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

export interface AdminOptions extends StatusSources {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Gives what to listen on, bound already, as `listen` of a server takes it. */
  readonly bind?: ((address: Address) => Promise<object>) | undefined;
  /** What clients must present. Without it, `host` has to be a loopback address; the configuration sees to that. */
  readonly token?: string | undefined;
  /** What clients may present that change nothing. */
  readonly viewToken?: string | undefined;
  /** With both files, HTTPS is spoken. */
  readonly tls?: CertificateSetting | undefined;
  /** Takes the failures of handlers. Never sees a header, a query or the token. */
  readonly logger: Logger;
  /** What is served beside health, metrics, ledger and status. */
  readonly routes?: readonly Route[];
  /** For tests. */
  readonly limits?: Partial<AdminLimits>;
  /** For tests: the clock of sessions, which runs evenly. */
  readonly nowMs?: () => number;
}

export interface Admin {
  /** Where it listens; null when it has no port. */
  readonly address: Address | null;
  /** Serves a request that a server of the host has taken. */
  handle(request: IncomingMessage, response: ServerResponse, options?: HandleOptions): void;
  /** From now on these open it; sessions that others have begun end. */
  setTokens(tokens: { readonly token?: string | undefined; readonly viewToken?: string | undefined }): void;
  /**
   * From now on new connections get the certificate of these files; those there are go on. Throws ReporterError
   * `CONFIG_INVALID` when the files cannot be used, and changes nothing then; does nothing without TLS.
   */
  setCertificate(tls: CertificateSetting): void;
  /** Stops listening and ends every connection at once. Idempotent. */
  close(): Promise<void>;
}

/** One that has a port. */
export interface ServedAdmin extends Admin {
  readonly address: Address;
}

/**
 * Serves the admin HTTP. Rejects with ReporterError LISTEN_FAILED, or CONFIG_INVALID where its certificate cannot be
 * used; nothing is left open then.
 */
export async function startAdmin(options: AdminOptions): Promise<ServedAdmin> {
  const { host, port } = options;
  const parts = createApp(options);
  const { app } = parts;
  try {
    if (options.bind) await listenOn(app, await options.bind({ host, port }));
    else await app.listen({ host, port });
  } catch (error) {
    await app.close();
    throw new ReporterError(
      'LISTEN_FAILED',
      `cannot serve the admin HTTP on ${host}:${port} (${messageOf(error)}): free that port, or set admin.host and admin.port`,
      { cause: error },
    );
  }
  const bound = app.server.address() as AddressInfo;
  return { ...adminOf(options, parts), address: { host: bound.address, port: bound.port } };
}

/** Without a port: a server of the host takes the requests. */
export async function hostAdmin(options: AdminOptions): Promise<Admin> {
  const parts = createApp(options);
  await parts.app.ready();
  return adminOf(options, parts);
}

function adminOf(options: AdminOptions, { app, guard, hosted }: App): Admin {
  let closing: Promise<void> | undefined;
  return {
    address: null,
    handle: (request, response, how) => {
      if (closing) hosted.ended(response);
      else if (hosted.enter(request, response, how)) app.routing(request, response);
    },
    setTokens: (tokens) => guard.setTokens(tokens),
    setCertificate: (tls) => {
      const certificate = certificateOf(tls);
      if (certificate && isSecure(app.server)) app.server.setSecureContext(certificate);
    },
    close: () => {
      // Fastify knows nothing of a server that it has not told to listen.
      if (options.bind) endServer(app);
      closing ??= app.close().then(() => {});
      return closing;
    },
  };
}

async function listenOn(app: FastifyInstance, handle: object): Promise<void> {
  await app.ready();
  app.server.listen(handle);
  await once(app.server, 'listening');
}

function endServer({ server }: FastifyInstance): void {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
}

interface App {
  readonly app: FastifyInstance;
  readonly guard: Guard;
  readonly hosted: HostedRequests;
}

function createApp(options: AdminOptions): App {
  const { logger } = options;
  const limits = { ...LIMITS, ...options.limits };
  const certificate = certificateOf(options.tls);
  const port = () => (app.server.address() as AddressInfo | null)?.port;
  const guard = new Guard(options, new Sessions(port, options.nowMs));
  const hosted = new HostedRequests();
  const refusal: Refusal = ({ method, headers, raw }, changes = false) =>
    hosted.refusal(raw, guard.needsToken) ??
    guard.refusal({ ...{ method, headers, changes }, role: hosted.roleOf(raw) });

  const app: FastifyInstance = fastify({
    serverFactory: (listener) => {
      const server = serverOf(limits, certificate, listener);
      server.maxConnections = limits.maxConnections;
      server.setTimeout(limits.idleMs);
      server.on('error', (error) => {
        // Before it listens, the error is that of `listen`. Later it is of a single accept.
        if (server.listening)
          logger.warn({ error: error.message }, 'the admin HTTP cannot accept a connection');
      });
      return server;
    },
    bodyLimit: limits.maxBodyBytes,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    clientErrorHandler: (error, socket) => answerBroken(error, socket),
    // Paths that are none never reach a route or a hook.
    frameworkErrors: (error, request, reply) => {
      const answer = failure(error.statusCode ?? 400, 'the path is not a valid one');
      send(request, reply.headers(HEADERS), refusal(request) ?? answer);
    },
  });
  // Other sites' pages can send text without being asked for permission, JSON not.
  app.removeContentTypeParser('text/plain');

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS);
    if (request.is404) return send(request, reply, refusal(request) ?? failure(404, 'there is no such path'));
  });
  // What handlers throw does not come here: these are Fastify's complaints about a request, in words for the client.
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const { statusCode = 500, message } = error;
    const answer = statusCode < 500 ? failure(statusCode, message) : failed(request, error, logger);
    return send(request, reply, answer);
  });
  const routes = [...statusRoutes(options), ...sessionRoutes(guard), ...(options.routes ?? [])];
  for (const route of routes) addRoute(app, route, { refusal, hosted, logger });
  for (const path of new Set(routes.map((route) => route.path)))
    refuseOtherMethods(
      app,
      routes.filter((route) => route.path === path),
      refusal,
    );
  return { app, guard, hosted };
}

/** Older ones are broken. */
const MIN_VERSION = 'TLSv1.2';

function certificateOf({ cert, key }: CertificateSetting = {}) {
  if (cert === undefined || key === undefined) return undefined;
  return { ...readServerCertificate('admin.tls', { cert, key }), minVersion: MIN_VERSION } as const;
}

function isSecure(server: FastifyInstance['server'] | SecureServer): server is SecureServer {
  return 'setSecureContext' in server;
}

function serverOf(
  limits: AdminLimits,
  certificate: ReturnType<typeof certificateOf>,
  listener: RequestListener,
): FastifyInstance['server'] {
  const settings = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    // How often Node looks at the two limits above; its own 30 s would make them much longer.
    connectionsCheckingInterval: Math.min(1000, limits.headersMs),
  };
  if (!certificate) return createPlainServer(settings, listener);
  const { cert, key, minVersion } = certificate;
  const server = createSecureServer(
    { ...settings, cert, key, minVersion, handshakeTimeout: limits.headersMs },
    listener,
  );
  // Node knows no connection before its handshake has ended: one that never does would hold up a close.
  const unsecured = new Set<Socket>();
  server.prependListener('connection', (socket: Socket) => {
    unsecured.add(socket);
    socket.once('close', () => unsecured.delete(socket));
  });
  const closeSecured = server.closeAllConnections.bind(server);
  server.closeAllConnections = () => {
    closeSecured();
    for (const socket of unsecured) socket.destroy();
  };
  // Who cannot be spoken to cannot be answered.
  server.prependListener('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

/** `changes`: whether the request would change something, if it were served. */
type Refusal = (request: FastifyRequest, changes?: boolean) => Answer | undefined;

interface Serving {
  readonly refusal: Refusal;
  readonly hosted: HostedRequests;
  readonly logger: Logger;
}

function addRoute(app: FastifyInstance, route: Route, { refusal, hosted, logger }: Serving): void {
  app.route<{ Params: Record<string, string> }>({
    method: route.method === 'GET' ? ['GET', 'HEAD'] : route.method,
    url: route.path,
    // Before the body is read.
    onRequest: async (request, reply) => {
      const refused = route.open ? undefined : refusal(request, !isRead(route.method));
      if (refused) return send(request, reply, refused);
    },
    handler: async (request, reply) => {
      const { params, url, body, headers } = request;
      const query = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?')) : '');
      let answer: Answer;
      try {
        answer = await route.handle({
          ...{ params, query, body, headers },
          isHttps: request.protocol === 'https',
          role: hosted.roleOf(request.raw),
        });
      } catch (error) {
        answer = failed(request, error, logger);
      }
      return send(request, reply, answer);
    },
  });
}

/** Logs without the URL: people put secrets into queries. */
function failed({ method, routeOptions }: FastifyRequest, error: unknown, logger: Logger): Answer {
  const fields = {
    route: `${method} ${routeOptions.url}`,
    error: error instanceof Error ? error.stack : String(error),
  };
  logger.error(fields, 'an admin request failed');
  return failure(500, 'the request failed; the log of the reporter says why');
}

/** `routes` are all of one path. */
function refuseOtherMethods(app: FastifyInstance, routes: readonly Route[], refusal: Refusal): void {
  const allowed = routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  const allow = allowed.join(', ');
  const answer = failure(405, `this path takes ${allow}`, { allow });
  const isOpen = routes.every((route) => route.open);
  const refuse = async (request: FastifyRequest, reply: FastifyReply) =>
    send(request, reply, (isOpen ? undefined : refusal(request)) ?? answer);
  app.route({
    method: app.supportedMethods.filter((method) => !allowed.includes(method)),
    url: routes[0]!.path,
    onRequest: refuse,
    handler: refuse,
  });
}

function send(request: FastifyRequest, reply: FastifyReply, answer: Answer): FastifyReply {
  const { status, type, body, headers = {} } = answer;
  reply.code(status).headers(headers).type(type);
  // Node leaves out the body of an answer to HEAD, but a stream would run on unread.
  if (request.method !== 'HEAD' || !(body instanceof Readable)) return reply.send(body);
  body.destroy();
  return reply.send();
}

/** Answers what is no HTTP request, or came too late or too large, and closes the connection. */
function answerBroken({ code }: { readonly code?: string }, socket: Socket): void {
  if (!socket.writable) return;
  const status = code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
  const { type, body } = failure(status, STATUS_CODES[status]!);
  const head = Object.entries({ ...HEADERS, 'content-type': type, 'content-length': String(body).length });
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...head.map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${lines.join('\r\n')}\r\nconnection: close\r\n\r\n${body}`, () => socket.destroy());
}
