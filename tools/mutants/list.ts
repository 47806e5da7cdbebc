import { ADMIN_MUTANTS } from './list/admin.js';
import { CLI_MUTANTS } from './list/cli.js';
import { CLIENT_MUTANTS } from './list/client.js';
import { CLUSTER_MUTANTS } from './list/cluster.js';
import { CONFIG_MUTANTS } from './list/config.js';
import { DEPLOY_MUTANTS } from './list/deploy.js';
import { HISTORY_MUTANTS } from './list/history.js';
import { INTAKE_MUTANTS } from './list/intake.js';
import { JETSTREAM_MUTANTS } from './list/jetstream.js';
import { JOURNAL_MUTANTS } from './list/journal.js';
import { KEEPER_MUTANTS } from './list/keeper.js';
import { LMDB_MUTANTS } from './list/lmdb.js';
import { MODEL_MUTANTS } from './list/model.js';
import { NODE_MUTANTS } from './list/node.js';
import { OBSERVE_MUTANTS } from './list/observe.js';
import { PARTITION_MUTANTS } from './list/partition.js';
import { ROUTING_MUTANTS } from './list/routing.js';
import { RUNTIME_MUTANTS } from './list/runtime.js';
import { STORE_MUTANTS } from './list/store.js';
import { VIEW_MUTANTS } from './list/view.js';
import { WIRE_MUTANTS } from './list/wire.js';
import { WRITER_MUTANTS } from './list/writer.js';
import type { Mutant } from './mutant.js';

/** All mutants, by the room of `src/` they break, from the socket to the row; last, what sites take of `deploy/`. */
export const MUTANTS_BY_ROOM: Readonly<Record<string, readonly Mutant[]>> = {
  keeper: KEEPER_MUTANTS,
  wire: WIRE_MUTANTS,
  intake: INTAKE_MUTANTS,
  routing: ROUTING_MUTANTS,
  runtime: RUNTIME_MUTANTS,
  writer: WRITER_MUTANTS,
  partition: PARTITION_MUTANTS,
  journal: [...JOURNAL_MUTANTS, ...JETSTREAM_MUTANTS],
  lmdb: LMDB_MUTANTS,
  store: STORE_MUTANTS,
  observe: OBSERVE_MUTANTS,
  view: VIEW_MUTANTS,
  history: HISTORY_MUTANTS,
  node: NODE_MUTANTS,
  config: CONFIG_MUTANTS,
  admin: ADMIN_MUTANTS,
  model: MODEL_MUTANTS,
  cli: CLI_MUTANTS,
  deploy: DEPLOY_MUTANTS,
  client: CLIENT_MUTANTS,
  cluster: CLUSTER_MUTANTS,
};

export const MUTANTS: readonly Mutant[] = Object.values(MUTANTS_BY_ROOM).flat();
