import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { Happenings } from '../../signals/signals';
import { splice } from '../splice';

/** Beside this file, made by make.sh: `localhost` and `elsewhere` by the authority, `stranger` by nobody. */
export type Certificate = 'localhost' | 'elsewhere' | 'stranger';

/** What trusts the authority: `NODE_EXTRA_CA_CERTS` of a process. */
export const AUTHORITY = join(__dirname, 'authority.pem');

export function files(certificate: Certificate): { readonly cert: string; readonly key: string } {
  return { cert: join(__dirname, `${certificate}.pem`), key: join(__dirname, `${certificate}-key.pem`) };
}

export function pair(certificate: Certificate): { readonly cert: Buffer; readonly key: Buffer } {
  const { cert, key } = files(certificate);
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

/** Stands before a server that speaks clear text, as `localhost`, and speaks TLS. */
export class TlsFront {
  /** Names that clients asked for (SNI), one for each handshake that succeeded. */
  readonly names = new Happenings<string | false>();
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  static async start(target: string, certificate: Certificate = 'localhost'): Promise<TlsFront> {
    const { hostname, port } = new URL(target);
    const server = createServer(pair(certificate));
    const front = new TlsFront(server);
    server.on('secureConnection', (client: TLSSocket) => {
      front.names.add(client.servername ?? false);
      splice(client, connect(Number(port), hostname), front.sockets);
    });
    server.listen(0, 'localhost');
    await once(server, 'listening');
    return front;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}
