import { Rows } from './caller-rows.js';
import { Changes } from './changes.js';
import { Hosts } from './hosts.js';
import { Incidents } from './incidents.js';
import { Pairs } from './pairs.js';
import { PeerAddresses } from './peer-addresses.js';
import { BUCKET_S } from './rates.js';
import { Resuming } from './resuming.js';
import { Sampling } from './sampling.js';
import { Services } from './services.js';
import { StoredKeys } from './stored-keys.js';
import { Clock } from './view-clock.js';
import type { NameOf, ViewSettings } from './view-settings.js';
import { Voices } from './voices.js';

/**
 * All that the view knows. Its parts are numbered tables; who changes more than one of them is one of `intake`,
 * `counters`, `passing`, `forgetting`, `assessment`, `presence`.
 */
export class ViewState {
  /** These two may be replaced: by `View.set`, names also when others are read from the store. */
  settings: ViewSettings;
  nameOf: NameOf;
  readonly clock: Clock;
  /** Second of the view that the state is of. */
  now: number;
  readonly rows = new Rows();
  readonly pairs = new Pairs();
  readonly voices = new Voices();
  readonly hosts: Hosts;
  readonly services: Services;
  readonly storedKeys = new StoredKeys();
  readonly peers = new PeerAddresses();
  readonly sampling = new Sampling();
  readonly incidents = new Incidents();
  readonly resuming = new Resuming();
  readonly changes = new Changes();

  constructor(settings: ViewSettings, nameOf: NameOf, startS: number) {
    this.settings = settings;
    this.nameOf = nameOf;
    this.clock = new Clock(startS);
    this.now = this.clock.fromEven(startS);
    const bucket = Math.floor(this.now / BUCKET_S);
    this.hosts = new Hosts(bucket);
    this.services = new Services(bucket);
  }
}
