import { readStoreAddress } from '../store/address.js';

/** Whether sockets bound to `one` and to `other` cannot have the same port. */
export function isSameAddress(one: string, other: string): boolean {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  if (a === b || a === '::' || b === '::') return true;
  const isV4 = (host: string) => !host.includes(':');
  if ((a === '0.0.0.0' && isV4(b)) || (b === '0.0.0.0' && isV4(a))) return true;
  return (
    (a === 'localhost' && /^(127\.0\.0\.1|::1)$/.test(b)) ||
    (b === 'localhost' && /^(127\.0\.0\.1|::1)$/.test(a))
  );
}

/**
 * What is wrong with a text that no program makes and files and environments do: line ends, white space, quotes that
 * were meant for a shell. Undefined when nothing is.
 */
export function textProblem(text: string): string | undefined {
  if (text.trim() !== text) return 'has white space or a line end around it: leave it out';
  if (/[\p{Cc}\u200b\u2060\ufeff]/u.test(text))
    return 'holds a line end or a character that cannot be seen: leave it out';
  if (/^(["'`]).*\1$/.test(text) && text.length > 1)
    return 'stands in quotes, which belong to its value here: leave them out';
  return undefined;
}

/** As `textProblem`, for the path of a file or folder. */
export function pathProblem(path: string): string | undefined {
  const problem = textProblem(path);
  if (problem !== undefined) return problem;
  if (path.startsWith('~'))
    return 'begins with ~, which means a home folder to a shell only: write the whole path';
  if (/^\$\w|\$\{/.test(path)) return 'holds a variable, which only a shell replaces: write the whole path';
  return undefined;
}

/** What is wrong with the address of an OpenTelemetry collector and what to write instead; undefined when nothing is. */
export function otlpUrlProblem(url: string): string | undefined {
  const problem = textProblem(url);
  if (problem !== undefined) return problem;
  const { protocol, username, password, pathname, search, hash } = parsedUrl(url) ?? {};
  if (!/^https?:$/.test(protocol ?? '')) return 'expected an address such as http://127.0.0.1:4318';
  if (username || password) return 'holds a secret: give it in OTEL_EXPORTER_OTLP_HEADERS of the environment';
  if (search || hash) return 'holds more than an address: leave out what comes from ? or # on';
  if (/\/v1\/(traces|metrics)\/?$/.test(pathname ?? ''))
    return 'names one signal: leave out /v1/…, which is added for each';
  return undefined;
}

function parsedUrl(url: string): URL | undefined {
  try {
    return new URL(url);
  } catch {
    return undefined;
  }
}

/** What is wrong with a store's address and what to write instead; undefined when nothing is. */
export function storeUrlProblem(url: string): string | undefined {
  const problem = textProblem(url);
  if (problem !== undefined) return problem;
  const address = readStoreAddress(url);
  if (address.kind === 'unusable') return address.problem;
  return 'dir' in address ? pathProblem(address.dir) : undefined;
}
