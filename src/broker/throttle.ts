// Holds clients to their quotas of bytes: producer_byte_rate and consumer_byte_rate of users and client ids. Who has had
// more than its rate allows is answered at once, with the time it is to wait, and its connection takes no further request
// until then, as in Kafka (ClientQuotaManager, KIP-219). Without a quota a request costs one comparison. The other quotas
// (request_percentage, controller_mutation_rate, connection_creation_rate) are kept and described, and not enforced.

import type { Clock } from '../base/clock.ts'
import type { ClientQuotas, QuotaEntity } from './metadata/client-quotas.ts'

export type ByteRate = 'producer_byte_rate' | 'consumer_byte_rate'

/** Whoever shares one allowance, and how much that is. */
interface Allowance {
  readonly key: string
  readonly bytesPerSecond: number
}

const SAMPLES = 11 // quota.window.num, a second each: ten whole ones, and the one that runs
const SAMPLE_MS = 1000
const MAX_WINDOWS = 10_000 // client ids are the clients' to choose
const MAX_CACHED = 10_000
const MAX_THROTTLE_MS = 60_000 // longer, and the connection would count as idle

export class Throttle {
  readonly #quotas: ClientQuotas
  readonly #clock: Clock
  readonly #windows = new Map<string, Window>()
  readonly #allowances = new Map<string, Allowance | undefined>()
  #version = 0

  constructor(quotas: ClientQuotas, clock: Clock) {
    this.#quotas = quotas
    this.#clock = clock
  }

  /** Counts `bytes` of a request or an answer; for how many ms the client is to be left alone. */
  count(rate: ByteRate, user: string, clientId: string, bytes: number): number {
    if (this.#quotas.size === 0) return 0
    const allowance = this.#allowanceOf(rate, user, clientId)
    if (allowance === undefined) return 0
    const { key, bytesPerSecond } = allowance
    const window = this.#windows.get(key) ?? new Window()
    // The least recently used come first.
    this.#windows.delete(key)
    this.#windows.set(key, window)
    if (this.#windows.size > MAX_WINDOWS) this.#windows.delete(this.#windows.keys().next().value ?? '')
    const { sum, spanMs } = window.add(bytes, this.#clock.monotonic())
    return Math.min(MAX_THROTTLE_MS, Math.max(0, Math.round((sum / bytesPerSecond) * 1000 - spanMs)))
  }

  #allowanceOf(rate: ByteRate, user: string, clientId: string): Allowance | undefined {
    if (this.#version !== this.#quotas.version || this.#allowances.size > MAX_CACHED) {
      this.#allowances.clear()
      this.#version = this.#quotas.version
    }
    const name = JSON.stringify([rate, user, clientId])
    if (this.#allowances.has(name)) return this.#allowances.get(name)
    const allowance = findAllowance(this.#quotas, rate, user, clientId)
    this.#allowances.set(name, allowance)
    return allowance
  }
}

/** The most specific entity with such a quota. Those of a user, of a client id, or of both together share it. */
function findAllowance(quotas: ClientQuotas, rate: ByteRate, user: string, clientId: string): Allowance | undefined {
  for (const ofUser of [user, null, undefined]) {
    for (const ofClient of [clientId, null, undefined]) {
      const parts: [string, string | null][] = []
      if (ofUser !== undefined) parts.push(['user', ofUser])
      if (ofClient !== undefined) parts.push(['client-id', ofClient])
      const entity: QuotaEntity = new Map(parts)
      const bytesPerSecond = quotas.of(entity).get(rate)
      if (bytesPerSecond === undefined) continue
      const who = [ofUser === undefined ? null : user, ofClient === undefined ? null : clientId]
      return { key: JSON.stringify([rate, ...who]), bytesPerSecond }
    }
  }
  return undefined
}

/** Bytes of the last seconds. */
class Window {
  readonly #bytes = new Float64Array(SAMPLES)
  /** The sample, counted from the clock's start, that was added to last. */
  #last = -1
  #first = -1

  /** Adds `bytes`, and gives what the window holds now and over how long: at least ten seconds, as Kafka reckons. */
  add(bytes: number, now: number): { sum: number; spanMs: number } {
    const sample = Math.floor(now / SAMPLE_MS)
    if (this.#first < 0) this.#first = sample
    for (let at = Math.max(this.#last + 1, sample - SAMPLES + 1); at <= sample; at++) this.#bytes[at % SAMPLES] = 0
    this.#last = sample
    this.#bytes[sample % SAMPLES] += bytes
    const oldest = Math.max(this.#first, sample - SAMPLES + 1)
    const spanMs = Math.max(now - oldest * SAMPLE_MS, (SAMPLES - 1) * SAMPLE_MS)
    return { sum: this.#bytes.reduce((total, of) => total + of, 0), spanMs }
  }
}
