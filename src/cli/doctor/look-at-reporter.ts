import type { ReporterAnswer } from '../../admin/reporter-routes.js';
import type { Config } from '../../config/index.js';
import { messageOf } from '../../model/errors.js';
import { type Finding, notice, ok, warning } from '../../model/finding.js';
import type { Address } from '../../model/status.js';
import { packageVersion } from '../../model/version.js';
import { askAdmin, objectIn, placeOf } from '../admin-client.js';

/** What is known of the reporter that the configuration describes. */
export interface ReporterSeen {
  readonly findings: readonly Finding[];
  /** Undefined: it is down, or does not answer. */
  readonly answer: ReporterAnswer | undefined;
  /** Somebody answers there, whatever. */
  readonly isThere: boolean;
}

const IDLE_MS = 5000;

/** Asks the reporter at `address`. One that is down is no fault: doctor is for that, too. */
export async function lookAtReporter(config: Config, address: Address): Promise<ReporterSeen> {
  const at = placeOf(address);
  const { token, tls } = config.admin;
  const get = (path: string) =>
    askAdmin({ address, token, certificate: tls.cert, method: 'GET', path, idleMs: IDLE_MS });
  try {
    const { status, text } = await get('/api/reporter');
    const answer = objectIn(text) as ReporterAnswer | undefined;
    if (status !== 200 || !answer || !('ledger' in answer)) return { ...refused(at, status), isThere: true };
    const changes = await get('/api/reload').then(
      ({ text: reload }) => changesIn(reload),
      () => [],
    );
    return { findings: [...judgeReporter(answer, changes)], answer, isThere: true };
  } catch (error) {
    const { code = messageOf(error) } = error as NodeJS.ErrnoException;
    const down = notice(
      'reporter-down',
      `no reporter answers at ${at} (${code})`,
      'if it should run: systemctl status lars-reporter, and its log; what else is found here may say why it does not',
    );
    return { findings: [down], answer: undefined, isThere: false };
  }
}

function refused(at: string, status: number): Omit<ReporterSeen, 'isThere'> {
  const isDenied = status === 401 || status === 403;
  const finding = warning(
    'reporter-not-asked',
    `what answers at ${at} says ${status}`,
    isDenied
      ? 'give doctor the token of the reporter: LARS_ADMIN_TOKEN, or admin.token'
      : 'it is no reporter, another version of one, or one that starts: ask again, and look who has the port',
  );
  return { findings: [finding], answer: undefined };
}

function changesIn(text: string): readonly string[] {
  const { changes = [] } = (objectIn(text) ?? {}) as { changes?: readonly { readonly key: string }[] };
  return changes.map(({ key }) => key);
}

/** How a reporter is that runs. `changed`: keys whose values in the file are not those in force. */
export function* judgeReporter(answer: ReporterAnswer, changed: readonly string[]): Generator<Finding> {
  const { state, pid, version, uptimeS, agents, ledger, problems } = answer;
  yield ok(
    'reporter',
    `process ${pid}, version ${version}, ${state}, up ${uptimeS} s, ${agents.connections} connections, ${ledger.pending} rows pending`,
  );
  // Its own words, and its own severities.
  for (const { code, severity, text, means, doc } of problems)
    yield { code, severity, text: `${text}. ${means}`, advice: `see ${doc}` };
  if (version !== packageVersion())
    yield notice(
      'other-version',
      `version ${version} runs, ${packageVersion()} is installed here`,
      'kill -USR2 of the keeper hands over to the code that is installed where it was started',
    );
  if (changed.length > 0)
    yield notice(
      'configuration-not-read',
      `the running reporter has not read what changed: ${changed.join(', ')}`,
      'lars-reporter check --diff says how it would be changed, lars-reporter reload does it',
    );
}
