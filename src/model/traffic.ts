/** Why a frame, or its connection, was rejected. */
export type FrameRejection =
  /** The header claims a body below 0 or above the limit; the connection is closed. */
  | 'length'
  /** The body is not the message its id names; the frame is discarded. */
  | 'undecodable'
  /** No one handles the id; the frame is skipped. */
  | 'unknown-id'
  /** The connection ended, or its time was up, in the middle of a frame. */
  | 'incomplete'
  /** A handler of the host failed on the frame. */
  | 'handler';

/** Why a connection was refused or closed for who its peer is. */
export type ConnectionDenial =
  /** Its address may not connect. */
  | 'address'
  /** Its address has as many connections as it may have. */
  | 'address-full'
  /** It comes from a balancer and does not begin with a PROXY header. */
  | 'proxy-header'
  /** Its address, or its certificate, may not send any more since the rules have changed. */
  | 'rules-changed';

/** Why a TLS handshake came to nothing. */
export type HandshakeFailure =
  /** It was not over in time, or others waited for its place. */
  | 'timeout'
  /** Too many wait for their turn already. */
  | 'full'
  /** The peer shows no certificate, and must. */
  | 'no-certificate'
  /** No authority that is trusted vouches for the peer's certificate, or its time is over. */
  | 'untrusted'
  /** The peer's certificate is not among those that may connect. */
  | 'not-allowed'
  /** The peer speaks no version of TLS that is taken. */
  | 'version'
  /** What the peer sends is not TLS at all. */
  | 'not-tls'
  /** What the peer sends is TLS, and not in order. */
  | 'protocol'
  /** The peer does not take the reporter's certificate. */
  | 'peer'
  /** The peer has left in the middle. */
  | 'aborted';

/** Why an address is not read for a while. */
export type AddressPause =
  /** It has sent more reports than it may in a second. */
  | 'reports'
  /** As many keys are held for the store with its values as may be. */
  | 'keys';

/** What came in over all connections since the start. Plain counts: metrics and status read them. */
export class Traffic {
  /** Connections open now. */
  connections = 0;
  /** Connections accepted. */
  accepted = 0;
  /** Connections rejected because `listen.maxConnections` were open. */
  refused = 0;
  /** Connections refused or closed for who their peer is. */
  readonly denied: Record<ConnectionDenial, number> = {
    address: 0,
    'address-full': 0,
    'proxy-header': 0,
    'rules-changed': 0,
  };
  /** Of the port with TLS. */
  readonly tls = {
    /** Connections open now. */
    connections: 0,
    /** Handshakes under way, and connections that wait for theirs. */
    pending: 0,
    /** Handshakes that were completed. */
    handshakes: 0,
    failed: {
      timeout: 0,
      full: 0,
      'no-certificate': 0,
      untrusted: 0,
      'not-allowed': 0,
      version: 0,
      'not-tls': 0,
      protocol: 0,
      peer: 0,
      aborted: 0,
    } as Record<HandshakeFailure, number>,
    /** Connections that a process before, which ended without a word, had: nobody can read them on. */
    lost: 0,
    /** Connections that were ended in order because another process takes over. */
    ended: 0,
  };
  /** How often an address began to wait, and why. */
  readonly throttled: Record<AddressPause, number> = { reports: 0, keys: 0 };
  /** Reports that name another machine as their caller than the one that sent them. */
  foreignCallers = 0;
  /** Rows of those that were refused for it. */
  foreignRows = 0;
  /** Connections that a process before, which ended without a word, had read: they are read on. */
  resumed = 0;
  /** Of these, those that were in the middle of a frame. */
  resumedInFrame = 0;
  /** Bytes of frames that were cut so; their beginnings are lost. */
  skippedBytes = 0;
  /** Connections that a process before has handed over, with all that it knew of them. */
  handedOver = 0;
  /** Bytes read. */
  bytes = 0;
  /** Whole frames read, good or bad. */
  frames = 0;
  readonly framesRejected: Record<FrameRejection, number> = {
    length: 0,
    undecodable: 0,
    'unknown-id': 0,
    incomplete: 0,
    handler: 0,
  };
  /** Reports decoded. */
  reports = 0;
  /** Reports among them without any result, of which nothing is stored. */
  emptyReports = 0;
  /** Counters stored as 2^31-1 because they did not fit. */
  saturated = 0;
}
