import { connect, createServer, type Socket } from 'node:net';

/** A TCP relay in front of a server, which can hold back what goes to the server, as a broken network does. */
export interface Proxy {
  readonly port: number;
  /** From now on keeps back whatever the connections of now send, their end too. New connections pass. */
  hold(): void;
  /** Bytes held back so far. */
  readonly heldBytes: number;
  /** Sends on, in order, all that was held back. */
  release(): void;
  close(): Promise<void>;
}

export async function startProxy(targetPort: number): Promise<Proxy> {
  const links = new Set<Link>();
  const server = createServer((client) => {
    const link = new Link(client, connect(targetPort, '127.0.0.1'));
    links.add(link);
    link.server.once('close', () => links.delete(link));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return {
    port: address.port,
    hold: () => {
      for (const link of links) link.holds = true;
    },
    get heldBytes() {
      return [...links].reduce((sum, { held }) => sum + Buffer.concat(held).length, 0);
    },
    release: () => {
      for (const link of links) link.release();
    },
    close: async () => {
      for (const link of links) link.end();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

class Link {
  readonly client: Socket;
  readonly server: Socket;
  readonly held: Buffer[] = [];
  holds = false;
  #clientEnded = false;

  constructor(client: Socket, server: Socket) {
    this.client = client;
    this.server = server;
    // How a connection ends does not matter here, that it ends is seen by 'close'.
    client.on('error', () => {});
    server.on('error', () => {});
    client.on('data', (bytes) => (this.holds ? this.held.push(bytes) : server.write(bytes)));
    server.on('data', (bytes) => client.write(bytes));
    client.on('close', () => {
      this.#clientEnded = true;
      if (!this.holds) server.destroy();
    });
    server.on('close', () => client.destroy());
  }

  release(): void {
    this.holds = false;
    for (const bytes of this.held.splice(0)) this.server.write(bytes);
    if (this.#clientEnded) this.server.end();
  }

  end(): void {
    this.client.destroy();
    this.server.destroy();
  }
}
