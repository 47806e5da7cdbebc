import { renew } from '../../shared/certificates.js';
import type { Site } from '../site.js';
import type { Fault } from './fault.js';
import { READ_AGAIN } from './keeper.js';

/** The certificate that agents with TLS are shown is another one, in files of the same names. */
export function certificateFaults({ service, authority, certificate }: Site): Fault[] {
  return [
    {
      ...{ name: 'certificate renewed', group: 'reporter', shortestMs: 100, longestMs: 800 },
      begin: () =>
        service.exclusively(() => {
          renew(certificate, authority.issue());
          return service.change('loses nothing', READ_AGAIN, ({ keeper }) => process.kill(keeper, 'SIGHUP'));
        }),
      end: async () => {},
    },
  ];
}
