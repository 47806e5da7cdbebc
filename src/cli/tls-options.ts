import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { AgentTls } from '../client/agent-tls.js';
import type { Config } from '../config/index.js';
import { readPrivateFile } from '../model/private-file.js';
import type { Address } from '../model/status.js';
import { listenAddress, secureAddress } from './target.js';
import { UsageError } from './terminal.js';

/** How a command that is an agent speaks TLS. */
export interface TlsOptions {
  readonly tls?: boolean;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsName?: string;
  readonly tlsInsecure?: boolean;
}

/** Where a command sends to, and how. */
export interface AgentTarget extends Address {
  readonly tls?: AgentTls;
}

export function addTlsOptions(command: Command): Command {
  return command
    .option(
      '--tls',
      'speak TLS (default address: listen.tls of the configuration); so does each of the next ones',
    )
    .option('--tls-ca <file>', 'authorities (PEM) that are trusted (default: those of Node)')
    .option('--tls-cert <file>', 'certificate (PEM) that is shown to the reporter')
    .option('--tls-key <file>', 'its private key (PEM)')
    .option('--tls-name <name>', 'name that the certificate of the reporter must have (default: its host)')
    .option('--tls-insecure', 'take any certificate: for trials only');
}

/** `to`: the address that was named, if one was. Throws UsageError when a file cannot be used. */
export function targetFrom(options: TlsOptions, to: Address | undefined, config: Config): AgentTarget {
  const { tlsCa, tlsCert, tlsKey, tlsName, tlsInsecure } = options;
  const isSecure =
    options.tls || [tlsCa, tlsCert, tlsKey, tlsName, tlsInsecure].some((one) => one !== undefined);
  if (!isSecure) return to ?? listenAddress(config);
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new UsageError('--tls-cert and --tls-key go together: give both');
  return {
    ...(to ?? secureAddress(config)),
    tls: {
      ca: tlsCa === undefined ? undefined : publicFile('--tls-ca', tlsCa),
      cert: tlsCert === undefined ? undefined : publicFile('--tls-cert', tlsCert),
      key: tlsKey === undefined ? undefined : privateFile('--tls-key', tlsKey),
      servername: tlsName,
      verify: !tlsInsecure,
    },
  };
}

function publicFile(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(
      `${option} ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
    );
  }
}

function privateFile(option: string, file: string): Buffer {
  const found = readPrivateFile(file);
  if ('problem' in found) throw new UsageError(`${option} ${file}: ${found.problem}`);
  return found.bytes;
}
