import { messageOf, type StoreError } from '../model/errors.js';
import { formatIpv4 } from '../model/ipv4.js';
import type { Logger } from '../model/log.js';
import { Complaints } from './complaints.js';
import type { EventMap, EventType, ReporterEvent } from './events.js';

/** The host's logger, whose failures are its own. */
export function unfailing(logger: Logger): Logger {
  const guarded = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    try {
      logger[level](fields, message);
    } catch {
      // There is nobody left to tell.
    }
  };
  const { discardedLines } = logger;
  return {
    debug: guarded('debug'),
    info: guarded('info'),
    warn: guarded('warn'),
    error: guarded('error'),
    ...(discardedLines ? { discardedLines: () => discardedLines() } : {}),
  };
}

type Lines = { readonly [T in EventType]?: (event: EventMap[T]) => void };

/**
 * A subscriber that logs what people should know. What happens once a statement or a commit is in the metrics, not
 * in the log; what peers do wrong is logged at a bounded rate.
 */
export function eventLog(logger: Logger): (event: ReporterEvent) => void {
  const complaints = new Complaints(logger);
  const lines: Lines = {
    ...lifeLines(logger, complaints),
    ...journalLines(logger),
    ...storeLines(logger, complaints),
    ...peerLines(complaints),
  };
  return (event) => (lines[event.type] as ((event: ReporterEvent) => void) | undefined)?.(event);
}

const told = (error: Error | StoreError) => ({ error: messageOf(error) });

/** The reporter and its parts. */
function lifeLines(logger: Logger, complaints: Complaints): Lines {
  return {
    'admin-listening': ({ host, port }) => logger.info({ host, port }, 'serving the admin HTTP'),
    'admin-unavailable': ({ error }) => logger.warn(told(error), 'the admin HTTP is not served'),
    listening: ({ host, port, secure, writers, store }) =>
      logger.info({ host, port, ...(secure ? { secure } : {}), writers, store }, 'listening for agents'),
    'connections-limited': ({ configured, limit, openFiles }) =>
      logger.warn(
        { configured, limit, openFiles },
        'fewer connections are taken than listen.maxConnections: raise the limit of open files (ulimit -n)',
      ),
    'parent-stopped': ({ parent }) =>
      logger.error({ parent }, 'the actor or system of the host has stopped: stopping'),
    'drain-step': ({ step, pending, unjournaled }) =>
      logger.info({ step, pending, unjournaled }, DRAIN_STEPS[step]),
    'teardown-failed': ({ part, error }) => logger.error(told(error), `${part} did not end in good order`),
    'writer-crashed': ({ partition, error, pauseMs, isFailing }) => {
      const fields = { partition, pauseMs, error };
      if (isFailing) logger.error(fields, 'a writer keeps crashing; its rows wait');
      else logger.warn(fields, 'a writer crashed; restarting it');
    },
    'writer-recovered': ({ partition, restarts }) => {
      if (restarts > 0) logger.info({ partition, restarts }, 'a writer is back');
    },
    'writer-full': ({ partition, isFull, keys }) => {
      if (isFull)
        complaints.ours(
          `writer ${partition}`,
          'full',
          { keys },
          'a writer holds as many keys as it may; agents with new keys wait until the store takes some',
        );
    },
    'view-crashed': ({ error, pauseMs }) =>
      logger.warn({ pauseMs, error }, 'the live view crashed; restarting it, nothing else is touched'),
    'view-complaint': ({ why }) =>
      complaints.ours('view', 'complaint', { why }, 'something of the live view does not work'),
    'telemetry-failed': ({ signal, error }) =>
      complaints.ours('telemetry', signal, told(error), `${signal} could not be sent to telemetry.otlpUrl`),
    'routing-failed': ({ error }) =>
      logger.error({ error }, 'the router failed on rows of a sender, or a sender on its receipt'),
  };
}

const DRAIN_STEPS: Record<EventMap['drain-step']['step'], string> = {
  'accepting-stopped': 'draining: no new connections',
  'connections-closed': 'draining: connections are closed, what they sent is read',
  drained: 'drained: the store has every row',
  'time-up': 'the time to drain is up; pending rows stay in the journal',
};

function journalLines(logger: Logger): Lines {
  return {
    'journal-state': (event) => {
      if (event.state === 'ok') logger.info({}, 'the journal can be written again');
      else logger.error(told(event.error), 'the journal cannot be written; agents wait');
    },
    quarantined: ({ partition, sequence, error }) =>
      logger.error({ partition, sequence, ...told(error) }, 'a journal record was put into quarantine'),
    'snapshot-failed': ({ partition, error }) =>
      logger.warn({ partition, ...told(error) }, 'a snapshot failed; the next one is tried later'),
    'partitions-changed': ({ from, to, rows }) =>
      logger.info({ from, to, rows }, 'writers.count has changed; pending rows were moved'),
    'rows-recovered': ({ rows }) => logger.info({ rows }, 'pending rows were recovered from the journal'),
  };
}

function storeLines(logger: Logger, complaints: Complaints): Lines {
  return {
    'store-exposed': ({ store, warning }) => logger.warn({ store }, warning),
    'store-opened': ({ store }) => logger.info({ store }, 'the store is ready'),
    'store-unavailable': ({ store, error }) =>
      logger.warn({ store, ...told(error) }, 'the store is away; reports are journaled meanwhile'),
    'store-state': (event) => {
      const { partition } = event;
      if (event.state === 'ok') {
        logger.info({ partition }, 'the store takes rows again');
        return;
      }
      const { class: errorClass, code, message } = event.error;
      const fields = { partition, class: errorClass, code, error: message };
      if (errorClass === 'retry' || errorClass === 'too-large')
        logger.warn(fields, 'the store failed; retrying');
      else logger.error(fields, 'the store refuses rows; they wait in the journal');
    },
    'session-killed': ({ partition, connection }) =>
      logger.warn({ partition, connection }, 'an earlier session still held a partition and was killed'),
    // Told again at each attempt, as long as it lasts.
    'commit-awaited': ({ partition, connection, state }) =>
      complaints.ours(
        `writer ${partition}`,
        'commit-awaited',
        { connection, state },
        'a session hangs in its commit and is waited for, not killed: the database cannot write, most often because ' +
          'its disk is full; make room there',
      ),
    'journal-shared': ({ partition, connection }) =>
      complaints.ours(
        `writer ${partition}`,
        'journal-shared',
        { connection },
        'another reporter works with this journal or a copy of it and took a partition over; stop one of the two, or ' +
          'give one a journal.dir of its own',
      ),
    'rows-set-aside': ({ partition, rows, first, error, pauseMs }) =>
      complaints.ours(
        `writer ${partition}`,
        error.code,
        { rows, first, ...told(error), pauseMs },
        'these rows take longer than a statement may and are tried again later; the others are stored',
      ),
    'dead-letter': ({ partition, error }) =>
      complaints.ours(
        `writer ${partition}`,
        error.code,
        told(error),
        'the store refuses a row; it is a dead letter',
      ),
    'dead-letters-settled': ({ action, filter, outcome }) =>
      logger.info({ action, filter, ...outcome }, 'dead letters were settled'),
  };
}

/** What peers and the host do wrong. */
function peerLines(complaints: Complaints): Lines {
  return {
    'connection-rejected': ({ peer, maxConnections }) =>
      complaints.about(peer, 'refused', { maxConnections }, 'too many connections; refusing one'),
    'connection-denied': ({ peer, reason, why }) =>
      complaints.about(peer, reason, {}, `a connection was denied: ${why}`),
    'handshake-failed': ({ peer, reason, why }) =>
      complaints.about(peer, `tls-${reason}`, {}, `a TLS handshake failed: ${why}`),
    'address-throttled': ({ peer, why }) =>
      complaints.about(
        peer,
        `throttled-${why}`,
        {},
        why === 'reports'
          ? 'an address sends more reports a second than listen.perAddress allows; it is read later'
          : 'an address has as many keys pending as listen.perAddress allows; it is read when the store has taken some',
      ),
    'caller-foreign': ({ peer, caller, isRejected }) =>
      complaints.about(
        peer,
        'caller',
        { caller: formatIpv4(caller) },
        `a report names another machine as its caller${isRejected ? '; it is rejected' : ''}`,
      ),
    'connection-failed': ({ peer, error }) =>
      complaints.about(peer, 'crash', told(error), 'a connection crashed; closing it'),
    'connection-refused': ({ peer, reason }) => {
      if (reason === 'bad-frames')
        complaints.about(peer, reason, {}, 'too many bad frames; closing the connection');
      else complaints.about(peer, 'replies', {}, 'a peer does not read its replies; closing it');
    },
    'accept-failed': ({ error }) =>
      complaints.ours('listener', 'accept', told(error), 'cannot accept a connection'),
    'frame-rejected': ({ peer, reason, why, bodyBytes }) =>
      complaints.about(peer, reason, bodyBytes === undefined ? {} : { bodyBytes }, why),
    'handler-failed': ({ peer, id, error }) =>
      complaints.about(peer, 'handler', { id, ...told(error) }, 'a handler failed on a frame'),
    'handler-slow': ({ peer, id, afterMs }) =>
      complaints.about(peer, 'handler-slow', { id, afterMs }, 'a handler has not finished a frame yet'),
    'report-rejected': ({ rows, why }) =>
      complaints.ours('internal', 'rejected', { rows, why }, 'a report from inside the process was refused'),
  };
}
