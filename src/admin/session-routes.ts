import { type Role, SESSION_S, type Session } from './browser-sessions.js';
import type { Guard } from './guard.js';
import { type AdminRequest, type Answer, failure, json, type Route } from './route.js';

const PATH = '/api/session';

const MISASKED = failure(400, 'the body is to be a JSON object {"token":"…"}');
const WRONG_TOKEN = failure(401, 'the token is wrong: it is neither admin.token nor admin.viewToken');
const GUESSED = failure(429, 'too many wrong tokens: try again in a second', { 'retry-after': '1' });

/** What GET, POST and DELETE /api/session answer. */
export interface SessionAnswer {
  /** Whether this server wants a token. */
  readonly required: boolean;
  /** What the asker may do; null when a token is wanted and none was presented. */
  readonly role: Role | null;
  /** When the session ends, ISO 8601; null without a session. */
  readonly expires: string | null;
}

/**
 * A browser presents the token once, and has a cookie from then on: so no token stands in an address, where logs
 * would keep it, and no page can read it. All of it is open: who has no session must be able to ask for one.
 */
export function sessionRoutes(guard: Guard): readonly Route[] {
  const { sessions } = guard;
  const told = (role: Role | undefined, session: Session | undefined): SessionAnswer => ({
    required: guard.needsToken,
    role: role ?? null,
    expires: session ? secondIn(sessions.remainingMs(session)) : null,
  });
  // The host knows who asks: there is nothing to log into.
  const given = (role: Role) => json({ required: false, role, expires: null } satisfies SessionAnswer);
  return [
    {
      method: 'GET',
      path: PATH,
      open: true,
      handle: ({ headers, role }) =>
        role === undefined ? json(told(guard.roleOf(headers), sessions.of(headers.cookie))) : given(role),
    },
    {
      method: 'POST',
      path: PATH,
      open: true,
      handle: (request): Answer => {
        const { headers, body } = request;
        const foreign = guard.foreignOrigin(headers);
        if (foreign) return foreign;
        if (request.role !== undefined) return given(request.role);
        if (!guard.needsToken) return json(told('admin', undefined));
        const token = tokenIn(body);
        if (token === undefined) return MISASKED;
        if (sessions.isGuessed) return GUESSED;
        const role = guard.roleWithToken(token);
        if (!role) {
          sessions.failed();
          return WRONG_TOKEN;
        }
        const cookie = sessions.cookie(sessions.begin(role), isSecure(request));
        const answer: SessionAnswer = { required: true, role, expires: secondIn(SESSION_S * 1000) };
        return { ...json(answer), headers: { 'set-cookie': cookie } };
      },
    },
    {
      method: 'DELETE',
      path: PATH,
      open: true,
      handle: (request) => {
        const { headers } = request;
        const foreign = sessions.of(headers.cookie)
          ? guard.foreignCookie(headers)
          : guard.foreignOrigin(headers);
        if (foreign) return foreign;
        sessions.end(headers.cookie);
        const answer = told(guard.needsToken ? undefined : 'admin', undefined);
        return { ...json(answer), headers: { 'set-cookie': sessions.cookie(undefined, isSecure(request)) } };
      },
    },
  ];
}

function tokenIn(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
  const { token, ...others } = body as { readonly token?: unknown };
  return typeof token === 'string' && token !== '' && Object.keys(others).length === 0 ? token : undefined;
}

/** Whether the browser asks through https, also where something in front of the server ends it. */
function isSecure({ isHttps, headers }: AdminRequest): boolean {
  const { origin = '' } = headers;
  return isHttps || origin.startsWith('https://') || headers['x-forwarded-proto'] === 'https';
}

function secondIn(ms: number): string {
  return `${new Date(Date.now() + ms).toISOString().slice(0, 19)}Z`;
}
