import { connect, createServer, type Socket } from 'node:net';

/** A TCP relay in front of a server, which can do to connections what a broken network does. */
export interface Proxy {
  readonly port: number;
  /** Whether new connections are ended at once. */
  refuses: boolean;
  /** Connections that were ended at once so far. */
  readonly refused: number;
  /** From now on keeps back whatever the connections of now send, their end too. New connections pass. */
  hold(): void;
  /** Bytes held back so far. */
  readonly heldBytes: number;
  /** Sends on, in order, all that was held back. */
  release(): void;
  /** Swallows what the server answers on the connections of now: what they send is done, and never confirmed. */
  mute(): void;
  /** Replaces a text by another one of the same length in what comes from clients, from now on. */
  replace(text: string, by: string): void;
  /** Ends the connections of now at both ends. */
  cut(): void;
  close(): Promise<void>;
}

/** `target`: port of a server on 127.0.0.1, or the path of its socket. */
export async function startProxy(target: number | string): Promise<Proxy> {
  const links = new Set<Link>();
  let refuses = false;
  let refused = 0;
  let replaced: readonly [text: string, by: string] | undefined;
  const server = createServer((client) => {
    if (refuses) {
      refused++;
      client.on('error', () => {});
      client.destroy();
      return;
    }
    const link = new Link(
      client,
      typeof target === 'number' ? connect(target, '127.0.0.1') : connect(target),
      (bytes) => (replaced ? Buffer.from(bytes.toString('latin1').replaceAll(...replaced), 'latin1') : bytes),
    );
    links.add(link);
    link.server.once('close', () => links.delete(link));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  const cut = () => {
    for (const link of links) link.end();
  };
  return {
    port: address.port,
    get refuses() {
      return refuses;
    },
    set refuses(value) {
      refuses = value;
    },
    get refused() {
      return refused;
    },
    hold: () => {
      for (const link of links) link.holds = true;
    },
    get heldBytes() {
      return [...links].reduce((sum, { held }) => sum + Buffer.concat(held).length, 0);
    },
    release: () => {
      for (const link of links) link.release();
    },
    mute: () => {
      for (const link of links) link.isMute = true;
    },
    replace: (text, by) => {
      replaced = [text, by];
    },
    cut,
    close: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

class Link {
  readonly client: Socket;
  readonly server: Socket;
  readonly held: Buffer[] = [];
  holds = false;
  isMute = false;
  #clientEnded = false;

  constructor(client: Socket, server: Socket, changed: (bytes: Buffer) => Buffer) {
    this.client = client;
    this.server = server;
    // How a connection ends does not matter here, that it ends is seen by 'close'.
    client.on('error', () => {});
    server.on('error', () => {});
    client.on('data', (read) => {
      const bytes = changed(read);
      if (this.holds) this.held.push(bytes);
      else server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (!this.isMute) client.write(bytes);
    });
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
