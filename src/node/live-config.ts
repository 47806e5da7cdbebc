import type { Config } from '../config/index.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A copy of the configuration whose values may be replaced while stages hold its sections. */
export function liveConfig(config: Config): Config {
  return structuredClone(config);
}

/** Puts the values into place that are asked for where they are used: those of `IN_PLACE` in config/difference.ts. */
export function applyInPlace(live: Config, next: Config): void {
  const into = <Section extends object>(section: Section, values: Partial<Section>) =>
    Object.assign(section as Mutable<Section>, values);
  const { maxConnections, maxInflightBytes, frameTimeoutMs, maxBadFrames } = next.listen;
  into(live.listen, { maxConnections, maxInflightBytes, frameTimeoutMs, maxBadFrames });
  const { allow, deny, proxyFrom, verifyCaller, verifyExcept, perAddress } = next.listen;
  into(live.listen, { allow, deny, proxyFrom, verifyCaller, verifyExcept, perAddress });
  into(live.listen.tls, next.listen.tls);
  // With its password, which alone may be another one.
  const { url, connectTimeoutMs, queryTimeoutMs } = next.store;
  into(live.store, { url, connectTimeoutMs, queryTimeoutMs });
  into(live.view, next.view);
  into(live, { names: next.names });
  into(live.shutdown, next.shutdown);
  into(live.supervision, next.supervision);
  into(live.log, next.log);
}
