import type { HostAddress } from './balancer.js';

/** Services of one modid: their cmdid runs from 1. */
export const SERVICES_PER_MODID = 100;
/** 127.0.1.1: what machines call themselves whose `/etc/hosts` is as Debian and Ubuntu make it. */
export const LOCAL_CALLER = 0x7f00_0101;
/** Hosts of services with even numbers are addressed from 10.128.0.0, positive on the wire, … */
const POSITIVE_NET = 0x0a80_0000;
/** … those of odd ones from 172.16.0.0, negative on the wire. */
const NEGATIVE_NET = 0xac10_0000 | 0;
/** Addresses used of each: more than a report has hosts, so that those of a service differ. */
const NET_MASK = 0x000f_ffff;
const FIRST_PORT = 8000;
const PORTS = 100;

/** Where the numbers of a world begin. */
export interface AddressPlan {
  /** Hosts of a service. */
  readonly hosts: number;
  /** modid of the first SERVICES_PER_MODID services. */
  readonly modidBase: number;
  /** Address of the first agent, IPv4 in host order; the others follow. */
  readonly firstCaller: number;
}

/** Who is who on the wire: agents, services and hosts are numbers from 0 here. */
export class Addresses {
  readonly #plan: AddressPlan;

  constructor(plan: AddressPlan) {
    this.#plan = plan;
  }

  /** modid of a service. */
  modid(service: number): number {
    return this.#plan.modidBase + Math.floor(service / SERVICES_PER_MODID);
  }

  /** cmdid of a service. */
  cmdid(service: number): number {
    return 1 + (service % SERVICES_PER_MODID);
  }

  /** Address and port of a host of a service. */
  host(service: number, host: number): HostAddress {
    return { ip: this.ip(service, host), port: this.port(host) };
  }

  /** int32. */
  ip(service: number, host: number): number {
    const net = service % 2 === 0 ? POSITIVE_NET : NEGATIVE_NET;
    return net | ((service * this.#plan.hosts + host) & NET_MASK);
  }

  /** Port of a host, the same in every service. */
  port(host: number): number {
    return FIRST_PORT + (host % PORTS);
  }

  /** int32. */
  caller(agent: number): number {
    return (this.#plan.firstCaller + agent) | 0;
  }

  /** The service of a modid and cmdid, which may be beyond the last one; -1 when there is none. */
  serviceOf({ modid, cmdid }: { readonly modid: number; readonly cmdid: number }): number {
    const index = cmdid - 1;
    if (index < 0 || index >= SERVICES_PER_MODID || modid < this.#plan.modidBase) return -1;
    return (modid - this.#plan.modidBase) * SERVICES_PER_MODID + index;
  }

  /** The host of a service with an address; -1 when there is none. */
  hostOf(service: number, { ip, port }: HostAddress): number {
    const host = (ip - this.ip(service, 0)) & NET_MASK;
    const isThere = host < this.#plan.hosts && ip === this.ip(service, host) && port === this.port(host);
    return isThere ? host : -1;
  }
}
