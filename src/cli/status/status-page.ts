import type { Answered } from './asking.js';
import { callerPage, changesPage, gonePage, hostPage } from './other-pages.js';
import type { Page } from './page-type.js';
import { reporterPage } from './reporter-page.js';
import { servicePage } from './service-page.js';
import { servicesPage } from './services-page.js';
import type { Medium } from './terminal-style.js';

/** An answer as lines. */
export function pageOf({ reporter, found }: Answered, medium: Medium): Page {
  switch (found.kind) {
    case 'services':
      return servicesPage(reporter, found, medium);
    case 'service':
      return plain(servicePage(reporter, found.service, medium));
    case 'host':
      return plain(hostPage(reporter, found.host, medium));
    case 'caller':
      return plain(callerPage(reporter, found.caller, medium));
    case 'changes':
      return plain(changesPage(reporter, found.changes, medium));
    case 'gone':
      return plain(gonePage(reporter, found.gone, medium));
    case 'reporter':
      return plain(reporterPage(reporter, medium));
  }
}

function plain(lines: readonly string[]): Page {
  return { lines, targets: new Map() };
}
