// A door before a broker: it passes bytes on, both ways, and counts who comes in.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Door {
  /** HOST:PORT; what comes before `leadTo` is hung up on. */
  readonly address: string
  /** Connections so far. */
  visits(): number
  /** From now on to the broker at HOST:PORT. */
  leadTo(address: string): void
  close(): void
}

export async function openDoor(): Promise<Door> {
  const open = new Set<Socket>()
  let visits = 0
  let port: number | undefined
  const server = createServer((visitor) => {
    visits++
    if (port === undefined) {
      visitor.destroy()
      return
    }
    const broker = connect(port, '127.0.0.1')
    for (const [one, other] of [[visitor, broker], [broker, visitor]]) {
      open.add(one)
      one.setNoDelay(true).pipe(other)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        open.delete(one)
        other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    visits: () => visits,
    leadTo: (address) => (port = Number(address.slice(address.lastIndexOf(':') + 1))),
    close: () => {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}
