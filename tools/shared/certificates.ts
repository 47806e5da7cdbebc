import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A certificate of the tests: paths of PEM files. The key is for its owner alone. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** What the certificate is for, as openssl writes it: `DNS:localhost,IP:127.0.0.1`, which it is unless given. */
  readonly names?: string;
  /** It ended yesterday. */
  readonly isOver?: boolean;
  /** What alone it is for, as openssl writes it: `serverAuth`. Anything unless given. */
  readonly usage?: string;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const DAY_MS = 86_400_000;

/** An authority of a test, and the certificates it signs; all of it below `dir`. Needs openssl. */
export class TestAuthority {
  /** PEM of its certificate. */
  readonly ca: string;
  readonly #dir: string;
  #count = 0;

  constructor(dir: string) {
    this.#dir = mkdtempSync(path.join(dir, 'ca-'));
    this.ca = this.#path('ca.pem');
    this.#run(
      ...['req', '-x509', ...NEW_KEY, '-days', '30', '-subj', '/CN=authority of a test'],
      ...['-keyout', 'ca.key', '-out', 'ca.pem'],
    );
    writeFileSync(
      this.#path('ca.conf'),
      [
        '[ca]\ndefault_ca=here\n[here]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ncertificate=ca.pem',
        'private_key=ca.key\ndefault_md=sha256\npolicy=any\nunique_subject=no\n[any]\ncommonName=supplied',
      ].join('\n'),
    );
    writeFileSync(this.#path('index'), '');
    writeFileSync(this.#path('serial'), '1000');
  }

  /** Signs a certificate with a key of its own. */
  issue({
    names = 'DNS:localhost,IP:127.0.0.1',
    isOver = false,
    usage,
  }: CertificateOptions = {}): TestCertificate {
    const name = `${++this.#count}`;
    this.#run(
      'req',
      '-new',
      ...NEW_KEY,
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    );
    const only = usage === undefined ? '' : `extendedKeyUsage=${usage}\n`;
    writeFileSync(this.#path('ext'), `basicConstraints=critical,CA:false\nsubjectAltName=${names}\n${only}`);
    const nowMs = Date.now();
    const [from, to] = isOver ? [nowMs - 3 * DAY_MS, nowMs - DAY_MS] : [nowMs - DAY_MS, nowMs + 30 * DAY_MS];
    this.#run(
      ...['ca', '-batch', '-notext', '-config', 'ca.conf', '-extfile', 'ext', '-in', `${name}.csr`],
      ...['-out', `${name}.pem`, '-startdate', dateOf(from), '-enddate', dateOf(to)],
    );
    return { cert: this.#path(`${name}.pem`), key: this.#path(`${name}.key`) };
  }

  /** A certificate that nobody but its owner has signed. */
  selfSigned(names = 'DNS:localhost,IP:127.0.0.1'): TestCertificate {
    const name = `${++this.#count}`;
    this.#run(
      ...[
        'req',
        '-x509',
        ...NEW_KEY,
        '-days',
        '30',
        '-subj',
        `/CN=${name}`,
        '-addext',
        `subjectAltName=${names}`,
      ],
      ...['-keyout', `${name}.key`, '-out', `${name}.pem`],
    );
    return { cert: this.#path(`${name}.pem`), key: this.#path(`${name}.key`) };
  }

  #path(name: string): string {
    return path.join(this.#dir, name);
  }

  #run(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.#dir, stdio: ['ignore', 'ignore', 'pipe'] });
  }
}

/** Puts the content of one into the place of another, as a renewal does. */
export function renew(place: TestCertificate, by: TestCertificate): void {
  writeFileSync(place.key, readFileSync(by.key));
  writeFileSync(place.cert, readFileSync(by.cert));
}

/** As openssl takes it, in seconds: 20261128054200Z. */
function dateOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
}
