import type { Config } from '../config/index.js';
import type { AgentPorts } from '../intake/transport.js';

/** Where agents are to connect. */
export function agentPorts({ host, port, tls }: Config['listen']): AgentPorts {
  return {
    plain: { host, port },
    secure: tls.port === undefined ? undefined : { host: tls.host ?? host, port: tls.port },
  };
}
