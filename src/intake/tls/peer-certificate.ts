import type { X509Certificate } from 'node:crypto';

/** Whether agents show certificates: they need none, may have one, or must. */
export type ClientAuth = 'none' | 'optional' | 'required';

/** Whose certificates are let in: keys of the section `listen.tls`, which may change while it runs. */
export interface CertificateRules {
  readonly clientAuth: ClientAuth;
  /** Names in certificates of authorities that are trusted; `*.` stands for one label. All when both lists are empty. */
  readonly allowNames: readonly string[];
  /** SHA-256 of certificates, whoever has signed them. */
  readonly allowFingerprints: readonly string[];
}

/** What an agent has shown. */
export interface PeerCertificate {
  /** Its subject's common name and its alternative names, in small letters. */
  readonly names: readonly string[];
  /** SHA-256 in hexadecimal, capitals without colons. */
  readonly fingerprint: string;
  /** An authority that is trusted vouches for it. */
  readonly isTrusted: boolean;
  /** Why not, as OpenSSL names it. */
  readonly problem?: string | undefined;
  /** When it begins and ends, epoch milliseconds. */
  readonly validFromMs: number;
  readonly validToMs: number;
}

export interface Refusal {
  readonly reason: 'no-certificate' | 'untrusted' | 'not-allowed';
  readonly why: string;
}

export function certificateOf(
  certificate: X509Certificate,
  isTrusted: boolean,
  problem?: string,
): PeerCertificate {
  return {
    names: namesIn(certificate),
    fingerprint: plainFingerprint(certificate.fingerprint256),
    ...{ isTrusted, problem },
    validFromMs: Date.parse(certificate.validFrom),
    validToMs: Date.parse(certificate.validTo),
  };
}

/** Without colons and in capitals: openssl writes them in several ways. */
export function plainFingerprint(text: string): string {
  return text.replaceAll(':', '').toUpperCase();
}

/** Why an agent is not let in; undefined when it is. `certificate`: undefined when it showed none. */
export function refusalOf(
  certificate: PeerCertificate | undefined,
  rules: CertificateRules,
  nowMs: number,
): Refusal | undefined {
  if (rules.clientAuth === 'none') return undefined;
  if (!certificate)
    return rules.clientAuth === 'optional'
      ? undefined
      : { reason: 'no-certificate', why: 'it shows no certificate, and listen.tls.clientAuth requires one' };
  const { names, fingerprint, isTrusted, problem, validFromMs, validToMs } = certificate;
  // So that one which is in neither list is told from one that no authority knows.
  const isPinned = setOf(rules.allowFingerprints, plainFingerprint).has(fingerprint);
  if (isPinned && nowMs >= validFromMs && nowMs <= validToMs) return undefined;
  if (!isTrusted || isPinned)
    return {
      reason: 'untrusted',
      why: `its certificate (${shown(names)}) is not trusted: ${whyNot(problem)}`,
    };
  const isListed = rules.allowNames.length + rules.allowFingerprints.length > 0;
  if (!isListed || names.some((name) => isNamed(name, setOf(rules.allowNames, inSmall)))) return undefined;
  return {
    reason: 'not-allowed',
    why:
      `its certificate (${shown(names)}, SHA-256 ${fingerprint}) is in neither listen.tls.allowNames nor ` +
      'listen.tls.allowFingerprints',
  };
}

const PROBLEMS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its time is over',
  CERT_NOT_YET_VALID: 'its time has not begun',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'nobody but its owner has signed it',
  SELF_SIGNED_CERT_IN_CHAIN: 'its authority is not in listen.tls.ca',
  UNABLE_TO_GET_ISSUER_CERT: 'its authority is not in listen.tls.ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its authority is not in listen.tls.ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its authority is not in listen.tls.ca',
  INVALID_PURPOSE: 'it is not for clients',
};

function whyNot(problem = 'its time is over, or has not begun'): string {
  return PROBLEMS[problem] ?? problem;
}

/** Enough to know it by. What stands in a certificate is its owner's choice, so it is cut. */
function shown(names: readonly string[]): string {
  const text = names.length === 0 ? 'without a name' : names.slice(0, 3).join(', ');
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** An address of mail or of a page may end as the name of a machine does: what stands for `*` must be a label. */
function isNamed(name: string, allowed: ReadonlySet<string>): boolean {
  const dot = name.indexOf('.');
  return allowed.has(name) || (LABEL.test(name.slice(0, dot)) && allowed.has(`*${name.slice(dot)}`));
}

const LABEL = /^[a-z0-9_-]+$/;

const inSmall = (text: string) => text.toLowerCase();

/** By list: it is asked for with each handshake, and with each connection when the rules have changed. */
const sets = new WeakMap<readonly string[], ReadonlySet<string>>();

function setOf(list: readonly string[], plain: (text: string) => string): ReadonlySet<string> {
  let set = sets.get(list);
  if (!set) {
    set = new Set(list.map(plain));
    sets.set(list, set);
  }
  return set;
}

/** Kinds of alternative names that are names of a machine or of a service. */
const KINDS = new Set(['DNS', 'IP Address', 'URI', 'email']);

/** What a certificate names. An entry that cannot be read is none: nobody is let in for it. */
function namesIn({ subject, subjectAltName = '' }: X509Certificate): string[] {
  const common = [...(subject ?? '').matchAll(/^CN=(.*)$/gm)].map(([, name = '']) => name);
  return [...common, ...alternativeNames(subjectAltName)].map(inSmall);
}

/**
 * The names in Node's text of a `subjectAltName`: `DNS:a, IP Address:127.0.0.1, DNS:"with a comma, or the like"`. What
 * would be read wrong, Node writes as a text of JSON.
 */
export function alternativeNames(text: string): string[] {
  const names: string[] = [];
  const entry = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;
  for (let at = 0; at < text.length; at = entry.lastIndex) {
    entry.lastIndex = at;
    const [, kind = '', value = ''] = entry.exec(text) ?? [];
    if (kind === '') return [];
    if (!KINDS.has(kind)) continue;
    try {
      names.push(value.startsWith('"') ? String(JSON.parse(value)) : value);
    } catch {
      return [];
    }
  }
  return names;
}
