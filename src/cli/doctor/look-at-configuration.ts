import { statSync } from 'node:fs';
import type { Config, LoadedConfig } from '../../config/index.js';
import { ReporterError } from '../../model/errors.js';
import { critical, type Finding, ok, warning } from '../../model/finding.js';
import { importPackages } from '../../observe/telemetry/packages.js';
import { readStoreAddress } from '../../store/address.js';

/** The file, its warnings, and who may read the secrets in it. */
export function* lookAtConfiguration({ config, file, warnings }: LoadedConfig): Generator<Finding> {
  yield ok('configuration', file ? `${file} is fine` : 'there is no file: defaults and environment');
  for (const text of warnings)
    yield warning('configuration-doubtful', text, 'mend it: what was meant may not be in force');
  if (file === undefined || !isReadByAll(file)) return;
  const { admin } = config;
  const store = readStoreAddress(config.store.url);
  const secrets = [
    ...(store.kind === 'mysql' && store.password !== '' && config.store.passwordFile === undefined
      ? ['the password of the database']
      : []),
    ...(admin.token === undefined || admin.tokenFile !== undefined ? [] : ['admin.token']),
    ...(admin.viewToken === undefined || admin.viewTokenFile !== undefined ? [] : ['admin.viewToken']),
  ].filter((name) => !isFromEnvironment(name));
  if (secrets.length > 0)
    yield warning(
      'secrets-readable',
      `${file} holds ${secrets.join(' and ')}, and every user of this machine may read it`,
      `chmod 640 ${file} and give it to the group of the reporter, or put secrets into files of their own (admin.tokenFile, store.passwordFile)`,
    );
}

/** Whether the optional packages are there, where they are asked for: a reporter does not start without them. */
export async function lookAtTelemetry({ telemetry: { otlpUrl } }: Config): Promise<Finding[]> {
  if (otlpUrl === undefined) return [];
  try {
    await importPackages();
    return [ok('telemetry', 'the packages of OpenTelemetry are installed')];
  } catch (error) {
    if (!(error instanceof ReporterError)) throw error;
    const advice =
      'do one of the two: a reporter does not start like this, and one that runs takes no reload';
    return [critical('telemetry-packages', error.message, advice)];
  }
}

const VARIABLES: Readonly<Record<string, string>> = {
  'the password of the database': 'LARS_STORE_URL',
  'admin.token': 'LARS_ADMIN_TOKEN',
  'admin.viewToken': 'LARS_ADMIN_VIEW_TOKEN',
};

function isFromEnvironment(secret: string): boolean {
  return (process.env[VARIABLES[secret] ?? ''] ?? '').trim() !== '';
}

function isReadByAll(file: string): boolean {
  return ((statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o004) !== 0;
}
