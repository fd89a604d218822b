import type { Socket } from 'node:net';

/** What comes by one socket goes out by the other, and both end together; `open` holds them for as long as they live. */
export function splice(one: Socket, other: Socket, open: Set<Socket>): void {
  forward(one, other, open);
  forward(other, one, open);
}

function forward(from: Socket, to: Socket, open: Set<Socket>): void {
  open.add(from);
  from.on('error', () => to.destroy());
  from.on('close', () => {
    open.delete(from);
    to.destroy();
  });
  from.pipe(to);
}
