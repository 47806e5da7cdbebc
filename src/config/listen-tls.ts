import { z } from 'zod';
import { DAY_MS, file, integer, type KeyMeta, otherHost, text } from './kinds.js';
import { textProblem } from './values.js';

const CLIENT_AUTH = 'none';

/** The section `listen.tls`. */
export const listenTls = z
  .strictObject({
    port: z
      .int()
      .min(0)
      .max(65_535)
      .optional()
      .describe(
        'Port on which agents speak TLS (1.2 or newer), beside `listen.port`; 0 takes any free one and prints it.',
      ),
    host: otherHost('as `listen.host`', 'Address of `listen.tls.port`.'),
    cert: file(
      'Certificate (PEM) that is shown to agents, then those of the authorities in between. All files of `listen.tls` are read again when the configuration is.',
    ),
    key: file('Private key (PEM) of `listen.tls.cert`; nobody but its user and group may read it.'),
    ca: file('Certificates (PEM) of the authorities that vouch for certificates of agents.'),
    clientAuth: z
      .enum(['none', 'optional', 'required'])
      .optional()
      .describe(
        'Whether agents show certificates: `optional` looks at those that are shown, `required` also refuses who shows none. With `listen.tls.ca`, it is to be said.',
      )
      .meta({ unset: CLIENT_AUTH } satisfies KeyMeta),
    allowNames: z
      .array(text(nameProblem).meta({ expected: 'a name of a certificate' } satisfies KeyMeta))
      .default([])
      .describe(
        'Names that certificates of agents may have, common name or alternative names; `*.` stands for one label. None, and no fingerprints = all that `listen.tls.ca` vouches for.',
      )
      .meta({
        expected: 'a list of names, such as ["agent-1.example.com", "*.agents.example.com"]',
      } satisfies KeyMeta),
    allowFingerprints: z
      .array(text(fingerprintProblem).meta({ expected: 'a SHA-256 fingerprint' } satisfies KeyMeta))
      .default([])
      .describe(
        'SHA-256 fingerprints of certificates of agents that may connect, in hexadecimal, whoever has signed them.',
      )
      .meta({
        expected: 'a list of fingerprints, as openssl x509 -fingerprint -sha256 prints them',
      } satisfies KeyMeta),
    handshakeTimeoutMs: integer(
      100,
      DAY_MS,
      10_000,
      'Longest time from the connection to the end of its handshake, waiting for its turn included, in milliseconds.',
    ),
    maxHandshakes: integer(
      1,
      10_000,
      64,
      'Handshakes at a time, of one address half of them; further connections wait for their turn.',
    ),
  })
  .superRefine((tls, context) => {
    const refuse = (key: keyof typeof tls, message: string) =>
      context.addIssue({ code: 'custom', path: [key], message });
    const { port, cert, key, ca, allowNames, allowFingerprints } = tls;
    const { clientAuth = CLIENT_AUTH } = tls;
    if (port === undefined) {
      const used = (['host', 'cert', 'key', 'ca'] as const).find((name) => tls[name] !== undefined);
      if (used !== undefined) refuse(used, 'is used with listen.tls.port alone: set it, too');
      else if (clientAuth !== 'none') refuse('clientAuth', 'is used with listen.tls.port alone: set it, too');
      return;
    }
    if (cert === undefined)
      refuse('cert', 'required with listen.tls.port: name the certificate of this reporter');
    if (key === undefined) refuse('key', 'required with listen.tls.port: name the key of listen.tls.cert');
    // Who names an authority and nothing else may well believe that agents are checked by it.
    if (ca !== undefined && tls.clientAuth === undefined)
      refuse(
        'ca',
        'is used where agents show certificates: set listen.tls.clientAuth to required, or to none',
      );
    const list =
      allowNames.length > 0 ? 'allowNames' : allowFingerprints.length > 0 ? 'allowFingerprints' : undefined;
    if (list !== undefined && clientAuth !== 'required')
      refuse(list, 'is used where agents must show certificates: set listen.tls.clientAuth to required');
    if (allowNames.length > 0 && ca === undefined)
      refuse('allowNames', 'anybody may write any name into a certificate: set listen.tls.ca, too');
    else if (clientAuth !== 'none' && ca === undefined && list === undefined)
      refuse('clientAuth', 'nobody vouches for certificates of agents: set listen.tls.ca');
  })
  .transform((tls) => ({ ...tls, clientAuth: tls.clientAuth ?? CLIENT_AUTH }))
  .prefault({});

function nameProblem(name: string): string | undefined {
  return textProblem(name) ?? (/\*/.test(name.replace(/^\*\.(?=[^.])/, '')) ? STAR_PROBLEM : undefined);
}

const STAR_PROBLEM = 'a star stands for the first label of a name alone, as in *.agents.example.com';

function fingerprintProblem(text: string): string | undefined {
  if (/^([\da-f]{2}:?){31}[\da-f]{2}$/i.test(text)) return undefined;
  return 'expected 64 hexadecimal digits, with or without colons: openssl x509 -in FILE -noout -fingerprint -sha256';
}
