import { signal } from '@preact/signals';

/** How the page stands to the reporter. */
export type ConnectionState = 'connecting' | 'live' | 'lost' | 'paused' | 'login';

export interface Connection {
  readonly state: ConnectionState;
  /** When something was last heard of the reporter, by the clock of the browser. */
  readonly heardMs: number | null;
  /** When the next try is due, by the clock of the browser. */
  readonly retryMs: number | null;
  /** It asks every few seconds instead of listening. */
  readonly isPolling: boolean;
}

export const connection = signal<Connection>({
  state: 'connecting',
  heardMs: null,
  retryMs: null,
  isPolling: false,
});
/** Time and number of the newest tick that was heard of. */
export const asOf = signal<string | undefined>(undefined);
export const tick = signal<number | undefined>(undefined);
/** The reporter is of another build than when the page was opened. */
export const isNewBuild = signal(false);

export function setConnection(change: Partial<Connection>): void {
  connection.value = { ...connection.value, ...change };
}

/** The reporter asks for a token. */
export function askForToken(): void {
  setConnection({ state: 'login', retryMs: null });
}

/** Notes how old an answer is. */
export function noteHead(head: { readonly asOf?: string; readonly tick?: number }): void {
  if (head.asOf !== undefined && (asOf.value === undefined || head.asOf > asOf.value)) asOf.value = head.asOf;
  if (head.tick !== undefined) tick.value = head.tick;
}
