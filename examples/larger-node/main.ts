/**
 * A small Lars node: reporter and route service on one actor system and one port, a supervisor above both, and the page
 * of the reporter on the node's own HTTP server. See the README beside it.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { MessageId } from 'lars-reporter/wire';
import { start, stop } from 'nact';
import { spawnRouteService } from './route-service.js';
import { superviseReporter } from './supervisor.js';

const { env } = process;
const DATA = resolve(env['NODE_DATA'] ?? 'data');
const ROUTES = resolve(env['NODE_ROUTES'] ?? 'routes.json');
const HOST = env['NODE_HOST'] ?? '127.0.0.1';

const print = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);

const system = start('lars-node');
let closeRoutes = () => {};
const supervisor = superviseReporter(system, {
  config: {
    listen: { host: HOST, port: Number(env['NODE_PORT'] ?? 7779) },
    journal: { dir: `${DATA}/journal` },
    store: { url: env['NODE_STORE'] ?? `embedded:${DATA}/store` },
  },
  tell: print,
  handlers: (parent) => {
    const routes = spawnRouteService(parent as never, ROUTES, print);
    closeRoutes = routes.close;
    return { [MessageId.getRouteRequest]: routes.ref };
  },
  // What is worth a line to this node; there are many more.
  onEvent: ({ type, ...event }) => {
    if (
      type === 'reporter-state' ||
      type === 'writer-crashed' ||
      type === 'store-state' ||
      type === 'handler-failed'
    )
      print({ event: type, ...event });
  },
});

const http = createServer((request, response) => {
  const { reporter } = supervisor;
  if (!request.url?.startsWith('/reporter')) response.end('a Lars node; its reporter is at /reporter/\n');
  else if (reporter) reporter.handle(request, response, { base: '/reporter' });
  else response.writeHead(503, { 'retry-after': '1' }).end('the reporter is being restarted\n');
});
http.listen(Number(env['NODE_HTTP_PORT'] ?? 8080), HOST, () => {
  print({ event: 'http-listening', port: (http.address() as AddressInfo).port });
});

process.on('SIGHUP', () => supervisor.restart());
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, async () => {
    await supervisor.stop();
    closeRoutes();
    http.close();
    http.closeAllConnections();
    stop(system);
    // Nothing is open any more, so the process ends by itself.
    print({ event: 'stopped' });
  });
