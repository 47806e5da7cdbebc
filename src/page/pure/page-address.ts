/** What the page shows, as its address after `#` says it. */

export type PageName =
  | 'overview'
  | 'service'
  | 'hosts'
  | 'host'
  | 'callers'
  | 'caller'
  | 'changes'
  | 'reporter'
  | 'help'
  | 'unknown';

export interface Place {
  readonly page: PageName;
  /** What is shown of its kind: `4242/17`, or an address; empty for lists. */
  readonly id: string;
  readonly params: Readonly<Record<string, string>>;
}

type Params = Readonly<Record<string, string | number | undefined>>;

const LISTS = ['hosts', 'callers', 'changes', 'reporter', 'help'] as const;
const ADDRESS = /^\d{1,3}(\.\d{1,3}){3}$/;
const NUMBER = /^-?\d{1,10}$/;

/** Reads `#/services/4242/17?host=10.0.0.1:80`. Never throws: what it does not know is the page `unknown`. */
export function readPlace(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#/, '').split(/\?(.*)/s);
  const params = Object.fromEntries(new URLSearchParams(query));
  return { ...target(path.split('/').filter((part) => part !== '')), params };
}

function target(parts: readonly string[]): Pick<Place, 'page' | 'id'> {
  const [first, second = '', third = ''] = parts;
  if (first === undefined) return { page: 'overview', id: '' };
  if (first === 'services' && parts.length === 3 && NUMBER.test(second) && NUMBER.test(third))
    return { page: 'service', id: `${second}/${third}` };
  if (parts.length === 2 && ADDRESS.test(second)) {
    if (first === 'hosts') return { page: 'host', id: second };
    if (first === 'callers') return { page: 'caller', id: second };
  }
  const list = parts.length === 1 ? LISTS.find((one) => one === first) : undefined;
  return list ? { page: list, id: '' } : { page: 'unknown', id: '' };
}

/** `#/callers?state=gone`; parameters that are empty or undefined are left out. */
export function address(path: string, params: Params = {}): string {
  const query = queryOf(params);
  return `#/${path}${query === '' ? '' : `?${query}`}`;
}

/** `state=gone&q=10.`, in the order given. Slashes, colons and commas stay readable. */
export function queryOf(params: Params): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params))
    if (value !== undefined && value !== '') query.set(name, String(value));
  return query.toString().replaceAll('%2F', '/').replaceAll('%3A', ':').replaceAll('%2C', ',');
}
