import test from 'ava';
import {
  alternativeNames,
  type CertificateRules,
  type PeerCertificate,
  refusalOf,
} from '../../../src/intake/tls/peer-certificate.js';

const NOW = 1_000_000;
const FINGERPRINT = 'AB'.repeat(32);
const shown = (more: Partial<PeerCertificate> = {}): PeerCertificate => ({
  ...{ names: ['agent-1', 'agent-1.site.example'], fingerprint: FINGERPRINT, isTrusted: true },
  ...{ validFromMs: 0, validToMs: 2 * NOW },
  ...more,
});
const rules = (more: Partial<CertificateRules> = {}): CertificateRules => ({
  ...{ clientAuth: 'required', allowNames: [], allowFingerprints: [] },
  ...more,
});
const reasonOf = (certificate: PeerCertificate | undefined, of: CertificateRules) =>
  refusalOf(certificate, of, NOW)?.reason;

test('who need not show a certificate is let in; who must is refused without one', (t) => {
  t.is(reasonOf(undefined, rules({ clientAuth: 'none' })), undefined);
  t.is(reasonOf(undefined, rules({ clientAuth: 'optional' })), undefined);
  t.is(reasonOf(undefined, rules()), 'no-certificate');
});

test('a certificate that no authority vouches for is refused, also where none is required', (t) => {
  const stranger = shown({ isTrusted: false, problem: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  t.is(reasonOf(stranger, rules()), 'untrusted');
  t.is(reasonOf(stranger, rules({ clientAuth: 'optional' })), 'untrusted');
  t.regex(refusalOf(stranger, rules(), NOW)!.why, /nobody but its owner has signed it/);
  t.is(reasonOf(stranger, rules({ allowNames: ['agent-1'] })), 'untrusted');
});

test('names are compared as a whole, in any case; a star stands for the first label alone', (t) => {
  const named = (...allowNames: string[]) => reasonOf(shown(), rules({ allowNames }));
  t.is(named('Agent-1'), undefined);
  t.is(named('other', 'AGENT-1.site.example'), undefined);
  t.is(named('*.site.example'), undefined);
  for (const other of ['agent', 'agent-11', 'site.example', '*.example', '*.agent-1.site.example'])
    t.is(named(other), 'not-allowed', other);
  t.is(reasonOf(shown({ names: [] }), rules({ allowNames: ['agent-1'] })), 'not-allowed');
  // Some of them are of no machine: an address of mail, a page, a common name that is any text.
  for (const odd of [
    '.site.example',
    'somebody@a.site.example',
    'spiffe://a.site.example',
    'a b.site.example',
  ])
    t.is(reasonOf(shown({ names: [odd] }), rules({ allowNames: ['*.site.example'] })), 'not-allowed', odd);
  t.is(reasonOf(shown({ names: ['a@b.example'] }), rules({ allowNames: ['a@b.example'] })), undefined);
});

test('a fingerprint lets a certificate in, whoever has signed it, for its time and no longer', (t) => {
  const pinned = rules({ allowFingerprints: [FINGERPRINT.toLowerCase().replaceAll(/..(?!$)/g, '$&:')] });
  t.is(reasonOf(shown(), pinned), undefined);
  t.is(reasonOf(shown({ isTrusted: false, problem: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), pinned), undefined);
  t.is(reasonOf(shown({ validToMs: NOW - 1 }), pinned), 'untrusted');
  t.is(reasonOf(shown({ validFromMs: NOW + 1 }), pinned), 'untrusted');
  t.is(reasonOf(shown({ fingerprint: 'CD'.repeat(32) }), pinned), 'not-allowed');
  const both = rules({ allowFingerprints: ['EF'.repeat(32)], allowNames: ['agent-1'] });
  t.is(reasonOf(shown(), both), undefined, 'its name is enough');
});

test('a name that only looks like several is one', (t) => {
  t.deepEqual(alternativeNames('DNS:a.example, IP Address:127.0.0.1, URI:spiffe://site/agent, email:a@b'), [
    ...['a.example', '127.0.0.1', 'spiffe://site/agent', 'a@b'],
  ]);
  t.deepEqual(alternativeNames('DNS:"a.example, DNS:good.example", DNS:b.example'), [
    ...['a.example, DNS:good.example', 'b.example'],
  ]);
  t.deepEqual(alternativeNames('DirName:"CN = x, O = DNS:y", othername:<unsupported>, DNS:b'), ['b']);
  t.deepEqual(alternativeNames('DNS:a, "DNS:b'), []);
  t.deepEqual(alternativeNames('DNS:"a'), []);
  t.deepEqual(alternativeNames(''), []);
});
