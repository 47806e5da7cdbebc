import type { Command } from 'commander';
import { type LoadedConfig, loadConfig } from '../../config/index.js';
import { ReporterError } from '../../model/errors.js';
import { critical, type Finding, type FindingSeverity, warning } from '../../model/finding.js';
import type { Address } from '../../model/status.js';
import { packageVersion } from '../../model/version.js';
import { diagnoseStore } from '../../store/diagnosis.js';
import { adminAddress } from '../admin-client.js';
import { type CommonOptions, commandWith } from '../settings.js';
import { addressOption } from '../target.js';
import { EXIT_DONE, EXIT_FAILED, EXIT_USAGE, type Terminal } from '../terminal.js';
import { lookAtClock } from './look-at-clock.js';
import { lookAtConfiguration, lookAtTelemetry } from './look-at-configuration.js';
import { lookAtFolders } from './look-at-folders.js';
import { lookAtJournal } from './look-at-journal.js';
import { lookAtLimits } from './look-at-limits.js';
import { lookAtPorts } from './look-at-ports.js';
import { lookAtReporter, type ReporterSeen } from './look-at-reporter.js';

interface DoctorOptions extends CommonOptions {
  readonly json?: boolean;
  readonly admin?: Address;
}

type Area = 'configuration' | 'reporter' | 'ports' | 'limits' | 'folders' | 'journal' | 'store' | 'clock';

type Found = Finding & { readonly area: Area };

/** `lars-reporter doctor`: looks at everything that support would ask for. */
export function doctorCommand(terminal: Terminal): Command {
  return commandWith(
    'Looks at everything support would ask for: configuration, the running reporter, ports, limits, folders and their\n' +
      'file systems, journal, database, clock. Changes nothing. Works whether the reporter is up or down; to be run on\n' +
      'its machine, as its user.\n' +
      'Exit code: 0 all is well, 1 somebody has to act (warning), 2 it does not work like this (critical), or wrong usage.',
    'sudo -u lars lars-reporter doctor --config /etc/lars-reporter/config.json',
  )
    .option('--json', 'print one JSON document')
    .option(
      '--admin <host:port>',
      'ask the reporter there (default: admin of the configuration)',
      addressOption,
    )
    .action(async (options: DoctorOptions) => {
      const found = await examine(options);
      if (options.json) terminal.print(JSON.stringify(documentOf(found), null, 2));
      else for (const line of linesOf(found)) terminal.print(line);
      terminal.exitCode = EXITS[worstOf(found)];
    });
}

const EXITS: Readonly<Record<FindingSeverity, number>> = {
  ok: EXIT_DONE,
  notice: EXIT_DONE,
  warning: EXIT_FAILED,
  critical: EXIT_USAGE,
};

const SEVERITIES: readonly FindingSeverity[] = ['critical', 'warning', 'notice', 'ok'];

async function examine(options: DoctorOptions): Promise<Found[]> {
  const loaded = load(options);
  if (!('config' in loaded))
    return [...inArea('configuration', loaded.findings), ...inArea('clock', await lookAtClock())];
  const { config } = loaded;
  const journal = await lookAtJournal(config);
  const reporter = await seenReporter(loaded, options);
  const isRunning = reporter.answer !== undefined || journal.isInUse;
  const needs = {
    ...{ maxBatchRows: config.writers.maxBatchRows, writers: config.writers.count },
    ...{ connectTimeoutMs: config.store.connectTimeoutMs, idleJournal: isRunning ? undefined : journal.idle },
  };
  const isSilent = journal.isInUse && !reporter.isThere;
  return [
    ...inArea('configuration', [...lookAtConfiguration(loaded), ...(await lookAtTelemetry(config))]),
    ...inArea('reporter', isSilent ? [SILENT] : reporter.findings),
    // Who answers, but not as a reporter does, may have one of the ports.
    ...inArea('ports', reporter.isThere && !isRunning ? [] : lookAtPorts(config, isRunning)),
    ...inArea('limits', lookAtLimits(config, reporter.answer?.pid)),
    ...inArea('folders', [...lookAtFolders(config)]),
    ...inArea('journal', journal.findings),
    ...inArea('store', await diagnoseStore(config.store.url, needs, config.store.tls)),
    ...inArea('clock', await lookAtClock()),
  ];
}

const SILENT = warning(
  'reporter-silent',
  'a process has the journal in use, and no reporter answers at the address of the admin HTTP',
  'is admin.port that of the running reporter? Its log says where the admin HTTP is served; --admin HOST:PORT asks there',
);

/** An unusable configuration is a finding like any other. */
function load({ config: file }: DoctorOptions): LoadedConfig | { readonly findings: readonly Finding[] } {
  try {
    return loadConfig({ file, env: process.env, cwd: process.cwd() });
  } catch (error) {
    if (!(error instanceof ReporterError)) throw error;
    const advice = 'mend it; lars-reporter check tries it. Nothing that depends on it was looked at';
    const findings = error.message
      .split('\n')
      .map((text) => critical('configuration-unusable', text, advice));
    return { findings };
  }
}

function seenReporter(
  { config }: LoadedConfig,
  { admin }: DoctorOptions,
): Promise<ReporterSeen> | ReporterSeen {
  // Any free port: nobody knows which.
  if (!admin && config.admin.port === 0) return { findings: [], answer: undefined, isThere: false };
  return lookAtReporter(config, admin ?? adminAddress(config));
}

function inArea(area: Area, findings: readonly Finding[]): Found[] {
  return findings.map((finding) => ({ area, ...finding }));
}

function worstOf(found: readonly Found[]): FindingSeverity {
  return SEVERITIES.find((severity) => found.some((one) => one.severity === severity)) ?? 'ok';
}

function documentOf(found: readonly Found[]) {
  return {
    version: packageVersion(),
    node: process.version,
    asOf: `${new Date().toISOString().slice(0, 19)}Z`,
    worst: worstOf(found),
    findings: found,
  };
}

const SEVERITY_WIDTH = 10;
const AREA_WIDTH = 15;

/** What matters most comes first. */
function linesOf(found: readonly Found[]): string[] {
  const indent = ' '.repeat(SEVERITY_WIDTH + AREA_WIDTH);
  const sorted = SEVERITIES.flatMap((severity) => found.filter((one) => one.severity === severity));
  const lines = sorted.flatMap(({ severity, area, text, code, advice }) => [
    `${severity.padEnd(SEVERITY_WIDTH)}${area.padEnd(AREA_WIDTH)}${text}${severity === 'ok' ? '' : ` [${code}]`}`,
    ...(advice === undefined ? [] : [`${indent}→ ${advice}`]),
  ]);
  const counts = SEVERITIES.slice(0, -1).map(
    (severity) => [found.filter((one) => one.severity === severity).length, severity] as const,
  );
  const counted = counts.filter(([count]) => count > 0).map(([count, severity]) => `${count} ${severity}`);
  return [...lines, '', counted.length === 0 ? 'all is well' : counted.join(', ')];
}
