import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type HandledFrame, parseIpv4 } from 'lars-reporter';
import { decodeRouteRequest, encodeRouteResponse, MessageId, type RouteResponse } from 'lars-reporter/wire';
import { dispatch, type Ref, spawn } from 'nact';

type Hosts = RouteResponse['host'];
type Routes = ReadonlyMap<string, Hosts>;
type RouteMessage = HandledFrame | 'load';

export interface RouteService {
  /** Takes frames of GetRouteRequest, and answers them. */
  readonly ref: Ref<RouteMessage>;
  /** Looks at the file no more. */
  close(): void;
}

/** What the service tells. */
export type RouteEvent =
  | { readonly event: 'routes-loaded'; readonly services: number }
  | { readonly event: 'routes-failed'; readonly why: string };

/**
 * An actor that answers GetRouteRequest from a file, `{ "modid/cmdid": ["address:port"] }`, and reads it again when it
 * has changed. A file that cannot be used changes nothing. Requests that come before the first reading wait in its
 * mailbox.
 */
export function spawnRouteService(
  parent: Ref<never>,
  file: string,
  tell: (event: RouteEvent) => void,
): RouteService {
  const load = async (before: Routes): Promise<Routes> => {
    try {
      const routes = routesOf(JSON.parse(await readFile(file, 'utf8')));
      tell({ event: 'routes-loaded', services: routes.size });
      return routes;
    } catch (error) {
      tell({ event: 'routes-failed', why: String(error) });
      return before;
    }
  };
  const receive = async (routes: Routes = new Map(), message: RouteMessage): Promise<Routes> => {
    if (message === 'load') return load(routes);
    // What is no such message throws: the crash is told, the frame is dropped, the actor goes on.
    const { modid, cmdid } = decodeRouteRequest(message.body);
    const host = routes.get(`${modid}/${cmdid}`) ?? [];
    message.reply(MessageId.getRouteResponse, encodeRouteResponse({ modid, cmdid, host }));
    return routes;
  };
  const ref: Ref<RouteMessage> = spawn(parent, receive, 'routes', {
    onCrash: (_message, error, { resume }) => {
      tell({ event: 'routes-failed', why: String(error) });
      return resume;
    },
  });
  dispatch(ref, 'load');
  // The folder, not the file: editors and configuration systems put another file in its place.
  const watcher = watch(dirname(file), (_kind, name) => {
    if (name === basename(file)) dispatch(ref, 'load');
  });
  return { ref, close: () => watcher.close() };
}

/** Throws when it is not of the form above. */
function routesOf(content: unknown): Routes {
  if (typeof content !== 'object' || content === null) throw new Error('routes: an object is expected');
  return new Map(
    Object.entries(content).map(([service, hosts]) => [service, (hosts as string[]).map(hostOf)]),
  );
}

function hostOf(text: string): Hosts[number] {
  const [address = '', port] = text.split(':');
  const ip = parseIpv4(address);
  if (ip === undefined || !(Number(port) > 0)) throw new Error(`routes: ${text} is not "address:port"`);
  return { ip, port: Number(port) };
}
