/** Whether only this machine can reach a socket bound to `host`. */
export function isLoopback(host: string): boolean {
  return /^(127(\.\d{1,3}){3}|::1|(0+:){7}0*1|localhost)$/i.test(host);
}
