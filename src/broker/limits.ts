// What all connections together may use: their number, by address too, the bytes of requests, the bytes of replies that
// wait for slow readers, and log lines about strangers. Every counter goes back to zero when the connections are gone.

import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import { ReplyBuffers } from './reply-buffers.ts'

/**
 * Bytes of requests: received in part, waiting, or being served. Over the limit, connections stop reading, except one:
 * whoever holds the pass reads on to the end of its request. So memory stays below the limit and one frame, and somebody
 * always gets on.
 */
export class RequestMemory {
  readonly #limit: number
  readonly #waiting = new Map<object, () => void>()
  #used = 0
  #pass: object | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  get used(): number {
    return this.#used
  }

  take(bytes: number): void {
    this.#used += bytes
  }

  give(bytes: number): void {
    this.#used -= bytes
    if (!this.isOver) this.#admit()
  }

  get isOver(): boolean {
    return this.#used > this.#limit
  }

  /** Whether `holder`, in the middle of a request or not, may read on. If not, `resume` says when to ask again. */
  mayRead(holder: object, isMidRequest: boolean, resume: () => void): boolean {
    if (!this.isOver || this.#pass === holder) return true
    if (this.#pass === undefined && isMidRequest) {
      this.#pass = holder
      return true
    }
    this.#waiting.set(holder, resume)
    return false
  }

  /** `holder` has served a whole request, or is gone. */
  done(holder: object): void {
    this.#waiting.delete(holder)
    if (this.#pass !== holder) return
    this.#pass = undefined
    this.#admit()
  }

  /** Lets everybody ask again, until, still over the limit, somebody has the pass. */
  #admit(): void {
    if (this.#waiting.size === 0) return
    for (const [holder, resume] of [...this.#waiting]) {
      if (this.isOver && this.#pass !== undefined) return
      this.#waiting.delete(holder)
      resume()
    }
  }
}

const FAR_OVER = 4

/** Bytes of replies handed to sockets and not yet taken by the kernel. Fetch makes its replies small when it is short. */
export class ReplyMemory {
  readonly buffers = new ReplyBuffers()
  readonly #limit: number
  #used = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get used(): number {
    return this.#used
  }

  /** 0 over the limit, where answers get small; -1 far over it, where there are none until somebody has read his. */
  get room(): number {
    if (this.#used >= this.#limit * FAR_OVER) return -1
    return Math.max(0, this.#limit - this.#used)
  }

  change(bytes: number): void {
    this.#used += bytes
  }
}

/** How many are connected, in all and from each address. */
export class ConnectionCounts {
  readonly #max: number
  readonly #maxPerAddress: number
  readonly #byAddress = new Map<string, number>()
  #total = 0

  constructor(max: number, maxPerAddress: number) {
    this.#max = max
    this.#maxPerAddress = maxPerAddress
  }

  get total(): number {
    return this.#total
  }

  /** Counts a connection from `address`; a text says why it must be closed instead. */
  enter(address: string): string | undefined {
    const here = this.#byAddress.get(address) ?? 0
    if (this.#total >= this.#max) return `${this.#max} connections are open (max.connections)`
    if (here >= this.#maxPerAddress) return `${address} has ${here} connections open (max.connections.per.ip)`
    this.#total++
    this.#byAddress.set(address, here + 1)
    return undefined
  }

  leave(address: string): void {
    this.#total--
    const here = (this.#byAddress.get(address) ?? 1) - 1
    if (here === 0) this.#byAddress.delete(address)
    else this.#byAddress.set(address, here)
  }
}

/** Whoever is connected and has not shown yet who he is. */
export interface Stranger {
  close(reason: string): void
}

const MAX_STRANGERS = 1000
const LOGIN_DEADLINE_MS = 30_000

/**
 * Connections in the middle of a TLS handshake or a login: so many, for so long. When there are more, the oldest goes: an
 * honest client is done in milliseconds, and those who only hold places can't keep it out.
 */
export class Strangers {
  readonly #since = new Map<Stranger, number>() // in the order they came

  get count(): number {
    return this.#since.size
  }

  add(stranger: Stranger, now: number): void {
    this.#since.set(stranger, now)
    if (this.#since.size <= MAX_STRANGERS) return
    const [oldest] = this.#since.keys()
    this.#since.delete(oldest)
    oldest.close(`${MAX_STRANGERS} others want to log in, too`)
  }

  delete(stranger: Stranger): void {
    this.#since.delete(stranger)
  }

  /** Looks at the deadlines; called every second or so. */
  check(now: number): void {
    for (const [stranger, since] of this.#since) {
      if (now - since <= LOGIN_DEADLINE_MS) return
      this.#since.delete(stranger)
      stranger.close(`no login within ${LOGIN_DEADLINE_MS / 1000} s`)
    }
  }

  closeAll(reason: string): void {
    const all = [...this.#since.keys()]
    this.#since.clear()
    for (const stranger of all) stranger.close(reason)
  }
}

const LINES_PER_PERIOD = 20
const PERIOD_MS = 10_000

/** Log lines that anybody on the network can cause: some in each ten seconds, then their number. */
export function strangersLog(logger: Logger, clock: Clock): (line: string) => void {
  let periodStart = -Infinity
  let lines = 0
  return (line) => {
    const now = clock.monotonic()
    if (now - periodStart >= PERIOD_MS) {
      if (lines > LINES_PER_PERIOD) logger.warn(`${lines - LINES_PER_PERIOD} more lines about connections left out`)
      periodStart = now
      lines = 0
    }
    if (++lines <= LINES_PER_PERIOD) logger.info(line)
  }
}
