import { open } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type AgentConnection, connectAgent } from '../client/connection.js';
import { encodeReportFrame } from '../client/encode.js';
import { messageOf } from '../model/errors.js';
import { parseIpv4 } from '../model/ipv4.js';
import type { HostResult, Report } from '../model/report.js';
import type { Address } from '../model/status.js';
import { FrameDecoder, FrameError } from '../wire/frame.js';
import { decodeReport, MessageId } from '../wire/messages.js';
import { integerOption, MAX_INT32, MAX_UINT32, MIN_INT32, strictInteger } from './numbers.js';
import { type CommonOptions, commandWith, loadSettingsWithWarnings } from './settings.js';
import { SentRows, showRows } from './show.js';
import { addressOption, ipOption } from './target.js';
import { type Terminal, UsageError } from './terminal.js';
import { type AgentTarget, addTlsOptions, type TlsOptions, targetFrom } from './tls-options.js';

interface SendOptions extends CommonOptions, TlsOptions {
  readonly modid?: number;
  readonly cmdid?: number;
  readonly caller: number;
  readonly host?: readonly HostResult[];
  readonly ts?: number;
  readonly file?: string;
  readonly to?: Address;
  readonly show?: boolean;
  readonly waitMs: number;
}

/** `lars-reporter send`: what an agent does, once. */
export function sendCommand(terminal: Terminal): Command {
  const command = commandWith(
    'Sends one report, built from flags, or the frames of a file.',
    'lars-reporter send --modid 1 --cmdid 2 --caller 10.0.0.9 \\\n' +
      '      --host 10.0.0.1:8080,succ=98,err=2 --host 10.0.0.2:8080,err=50,overload --show',
  )
    .option('--modid <n>', 'service, first half', integerOption(MIN_INT32, MAX_INT32))
    .option('--cmdid <n>', 'service, second half', integerOption(MIN_INT32, MAX_INT32))
    .addOption(
      new Option('--caller <ip>', 'address of the reporting machine')
        .argParser(ipOption)
        .default(parseIpv4('127.0.0.1'), '127.0.0.1'),
    )
    .addOption(
      new Option(
        '--host <ip:port[,succ=n][,err=n][,overload]>',
        'counts of calls to one host; once per host',
      ).argParser(hostOption),
    )
    .option('--ts <seconds>', "the agent's clock (default: now)", integerOption(0, MAX_UINT32))
    .addOption(
      new Option('--file <frames>', 'send the bytes of this file as they are, - for stdin').conflicts([
        'modid',
        'cmdid',
        'caller',
        'host',
        'ts',
      ]),
    )
    .addOption(
      new Option('--to <host:port>', 'reporter to send to (default: listen of the configuration)').argParser(
        addressOption,
      ),
    )
    .option('--show', 'wait until the configured store holds what was sent, and print its rows')
    .option('--wait-ms <n>', 'longest wait of --show, in milliseconds', integerOption(0, 3_600_000), 5000)
    .action((options: SendOptions) => send(options, terminal));
  return addTlsOptions(command);
}

async function send(options: SendOptions, terminal: Terminal): Promise<void> {
  const { config } = loadSettingsWithWarnings(options, terminal);
  const to = targetFrom(options, options.to, config);
  const sent = new SentRows(options.file !== undefined);
  const total =
    options.file === undefined
      ? await sendReport(reportFrom(options), to, sent)
      : await sendFile(options.file, to, options.show ? sent : undefined, terminal);
  const others = total.otherFrames > 0 ? `, ${count(total.otherFrames, 'other frame')}` : '';
  terminal.print(
    `sent ${count(total.reports, 'report')}, ${count(total.rows, 'row')}${others}, ` +
      `${count(total.bytes, 'byte')} to ${to.host}:${to.port}`,
  );
  if (options.show) await showRows(sent, config.store, options.waitMs, terminal);
}

interface Total {
  reports: number;
  rows: number;
  /** Frames that hold no report. */
  otherFrames: number;
  bytes: number;
}

async function sendReport(report: Report, to: AgentTarget, sent: SentRows): Promise<Total> {
  const frame = encodeOne(report);
  await withConnection(to, (connection) => connection.sendBytes(frame));
  sent.add(report);
  return { reports: 1, rows: report.results.length, otherFrames: 0, bytes: frame.length };
}

function encodeOne(report: Report): Buffer {
  try {
    return encodeReportFrame(report);
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    throw new UsageError(
      `${report.results.length} times --host do not fit one report (${error.message}): send them in several`,
    );
  }
}

/** Sends a file of any size as it is, counting the frames that pass by. */
async function sendFile(
  file: string,
  to: AgentTarget,
  sent: SentRows | undefined,
  terminal: Terminal,
): Promise<Total> {
  const source = await openSource(file);
  const total: Total = { reports: 0, rows: 0, otherFrames: 0, bytes: 0 };
  const decoder = new FrameDecoder();
  let readable = true;
  await withConnection(to, async (connection) => {
    for await (const chunk of source) {
      await connection.sendBytes(chunk);
      total.bytes += chunk.length;
      if (!readable) continue;
      try {
        decoder.push(chunk, (id, bytes, start, end) => {
          const report =
            id === MessageId.reportStatusRequest ? reportIn(bytes.subarray(start, end)) : undefined;
          if (!report) {
            total.otherFrames++;
            return;
          }
          total.reports++;
          total.rows += report.results.length;
          sent?.add(report);
        });
      } catch (error) {
        // Sent all the same: the bytes of the file go out as they are.
        readable = false;
        terminal.note(`warning: ${file}: ${messageOf(error)}; nothing after it is counted`);
      }
    }
  });
  if (readable && decoder.incompleteBytes > 0) {
    terminal.note(
      `warning: ${file}: the last ${count(decoder.incompleteBytes, 'byte')} are an incomplete frame`,
    );
  }
  return total;
}

/** The report of a body; undefined when the body is none. */
function reportIn(body: Uint8Array): Report | undefined {
  try {
    return decodeReport(body);
  } catch {
    return undefined;
  }
}

async function openSource(file: string): Promise<AsyncIterable<Buffer>> {
  if (file === '-') return process.stdin;
  try {
    const handle = await open(file);
    if ((await handle.stat()).isDirectory()) {
      await handle.close();
      throw new UsageError(`--file ${file} is a folder: name a file of frames, or - for stdin`);
    }
    return handle.createReadStream();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const reason = (error as NodeJS.ErrnoException).code ?? messageOf(error);
    throw new UsageError(`--file ${file} cannot be read (${reason}): name a file of frames, or - for stdin`);
  }
}

async function withConnection(
  to: AgentTarget,
  use: (connection: AgentConnection) => Promise<void>,
): Promise<void> {
  const connection = await connectAgent(to);
  try {
    await use(connection);
    await connection.close();
  } finally {
    connection.destroy();
  }
}

function reportFrom({ modid, cmdid, caller, host, ts }: SendOptions): Report {
  if (modid === undefined) throw missing('--modid', '--modid 1');
  if (cmdid === undefined) throw missing('--cmdid', '--cmdid 2');
  if (host === undefined) throw missing('--host', '--host 10.0.0.1:8080,succ=98,err=2');
  return { modid, cmdid, caller, ts: ts ?? Math.floor(Date.now() / 1000), results: host };
}

function missing(flag: string, example: string): UsageError {
  return new UsageError(`${flag} is missing: give it, for example ${example}, or frames with --file`);
}

/** One `--host`; commander passes what earlier ones gave. */
function hostOption(text: string, before: readonly HostResult[] = []): HostResult[] {
  const [address = '', ...details] = text.split(',');
  const [ipText = '', portText = '', ...rest] = address.split(':');
  const ip = parseIpv4(ipText);
  const port = strictInteger(portText, 0, 65535);
  if (ip === undefined || port === undefined || rest.length > 0) {
    throw new InvalidArgumentError(
      'Expected IP:PORT with a port from 0 to 65535, such as 10.0.0.1:8080,succ=98,err=2,overload.',
    );
  }
  const result = { ip, port, succ: 0, err: 0, overload: false };
  const seen = new Set<string>();
  for (const detail of details) {
    const [, name, value] = /^([a-z]+)(?:=(.*))?$/.exec(detail) ?? [];
    const counter = value === undefined ? undefined : strictInteger(value, 0, MAX_UINT32);
    if (name === undefined || seen.has(name)) {
      throw new InvalidArgumentError(`"${detail}" is not succ=N, err=N or overload, each at most once.`);
    }
    seen.add(name);
    if (name === 'overload' && value === undefined) {
      result.overload = true;
    } else if ((name === 'succ' || name === 'err') && counter !== undefined) {
      result[name] = counter;
    } else {
      throw new InvalidArgumentError(
        `"${detail}": expected succ=N or err=N with an integer from 0 to ${MAX_UINT32}, or overload.`,
      );
    }
  }
  return [...before, result];
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
