import type { IncomingMessage, ServerResponse } from 'node:http';
import { isLoopback } from '../model/loopback.js';
import type { Role } from './browser-sessions.js';
import { type Answer, failure } from './route.js';

/** How a request came that a server of the host has taken. */
export interface HandleOptions {
  /**
   * Path below which the page is shown, such as `/reporter`; the root unless given. Frameworks that take the path of a
   * mount away themselves need none.
   */
  readonly base?: string;
  /**
   * What the asker may do, where the host has checked who that is: `view` reads everything, `admin` may change dead
   * letters, too. No token is asked for then.
   */
  readonly role?: Role;
}

const NOT_THIS_MACHINE = failure(
  403,
  'only this machine is served: set admin.token, or have the host check who asks and pass a role',
);
const ENDED = failure(503, 'the reporter has ended');
const ELSEWHERE = failure(404, 'there is no such path');

/** Who may do what, of requests that servers of the host have taken; and who may not at all. */
export class HostedRequests {
  readonly #roles = new WeakMap<IncomingMessage, Role | undefined>();

  /** The role that the host gave it; undefined without one. */
  roleOf(request: IncomingMessage): Role | undefined {
    return this.#roles.get(request);
  }

  /** What to answer a request by whom it comes from; undefined when it is to be looked at as any other. */
  refusal(request: IncomingMessage, needsToken: boolean): Answer | undefined {
    if (needsToken || !this.#roles.has(request) || this.#roles.get(request) !== undefined) return undefined;
    return isOfThisMachine(request.socket.remoteAddress) ? undefined : NOT_THIS_MACHINE;
  }

  /**
   * Takes a request in, and its path below the base. Returns true when it is to be served; else it has been answered.
   */
  enter(
    request: IncomingMessage,
    response: ServerResponse,
    { base = '', role }: HandleOptions = {},
  ): boolean {
    const root = base.replace(/\/+$/, '');
    const url = request.url ?? '/';
    const [path = ''] = url.split('?', 1);
    if (root !== '' && path === root) {
      // The page asks for what is beside it: without the slash, that would be the host's.
      const location = `${root.slice(root.lastIndexOf('/') + 1)}/${url.slice(path.length)}`;
      answer(response, { ...failure(308, 'the path ends with a slash'), headers: { location } });
      return false;
    }
    if (!url.startsWith(`${root}/`)) {
      answer(response, ELSEWHERE);
      return false;
    }
    request.url = url.slice(root.length);
    this.#roles.set(request, role);
    return true;
  }

  /** Answers after the end. */
  ended(response: ServerResponse): void {
    answer(response, ENDED);
  }
}

function isOfThisMachine(address = ''): boolean {
  return isLoopback(address.replace(/^::ffff:/i, ''));
}

function answer(response: ServerResponse, { status, type, body, headers }: Answer): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', ...headers });
  response.end(body);
}
