// A broker that is killed and comes back on its directory and its port: ours, or Apache's to compare (KTOOL_JUDGE=apache).
// A kill strikes while something is known to be open: the process is frozen, the question is asked of its files, and only
// on a yes is it ended; what lies in the files is then what the next start finds.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import { decodeTransactionRecord } from '../../../src/protocol/records/transaction.ts'
import { RecordCursor } from '../../../src/protocol/record-cursor.ts'
import { batchSizeAt, readBatchHeader, recordsOf } from '../../../src/protocol/record-batch.ts'
import { PHASES, type Phase } from '../../../src/broker/transactions/transaction.ts'
import { freePorts, startApache } from './apache.ts'
import { ktoolEnv, startBroker } from './broker.ts'
import { complaintsIn } from './suite.ts'

/** KTOOL_FULL=1: as many records and kills as FINDINGS.md counts; otherwise what CI has time for. */
export const SCALE = process.env.KTOOL_FULL === '1' ? { records: 500_000, kills: 20 } : { records: 20_000, kills: 3 }

const isOurs = process.env.KTOOL_JUDGE !== 'apache'
const KILL_MS = 60_000

interface Process {
  readonly pid: number
  stop(signal?: NodeJS.Signals): Promise<void>
  said?(): string
}

export class MortalBroker {
  readonly address: string
  /** Where its data lies. */
  readonly data: string
  kills = 0
  readonly #directory: string
  readonly #port: number
  #process: Process | undefined
  #said = ''

  constructor(directory: string, port: number) {
    this.#directory = directory
    this.#port = port
    this.address = `127.0.0.1:${port}`
    this.data = join(directory, 'data')
  }

  static async start(directory: string): Promise<MortalBroker> {
    const [port] = await freePorts(1)
    const broker = new MortalBroker(directory, port)
    await broker.start()
    return broker
  }

  async start(): Promise<void> {
    const args = ['--data-dir', this.data, '--port', String(this.#port)]
    this.#process = isOurs
      ? await startBroker(args, ktoolEnv(this.#directory))
      : await startApache({ directory: this.#directory, port: this.#port })
  }

  /** Kills it with SIGKILL at a moment when `open` answers something, and gives that. */
  async killWhile<T>(open: () => T | undefined): Promise<T> {
    const deadline = Date.now() + KILL_MS
    while (Date.now() < deadline) {
      const found = await this.#frozen(open)
      if (found !== undefined) {
        await this.kill()
        return found
      }
      await delay(Math.random() * 20)
    }
    throw new Error(`nothing was open for ${KILL_MS} ms`)
  }

  async #frozen<T>(ask: () => T | undefined): Promise<T | undefined> {
    const pid = this.#process?.pid ?? 0
    process.kill(pid, 'SIGSTOP')
    while (!/^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) await delay(1)
    const found = ask()
    // A frozen process can be killed, and must not be woken before.
    if (found === undefined) process.kill(pid, 'SIGCONT')
    return found
  }

  async kill(): Promise<void> {
    this.kills++
    await this.stop('SIGKILL')
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#process?.stop(signal)
    this.#said += this.#process?.said?.() ?? ''
    this.#process = undefined
  }

  /** It lives, and nothing in its log of all its lives is an error. */
  expectHealthy(): void {
    const pid = this.#process?.pid ?? 0
    expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^State:\s+[SRD]/m)
    expect(complaintsIn(this.#said + (this.#process?.said?.() ?? '')), "in the broker's log").toEqual([])
  }
}

const OPEN: ReadonlySet<Phase> = new Set<Phase>(['Ongoing', 'PrepareCommit', 'PrepareAbort'])

/** The open transactions, by transactional id, that a broker would find in its directory if it started now. */
export function openTransactions(data: string): Map<string, Phase> {
  const open = new Map<string, Phase>()
  for (const name of readdirSync(data).filter((partition) => partition.startsWith('__transaction_state-'))) {
    const files = readdirSync(join(data, name)).filter((file) => file.endsWith('.log'))
    for (const file of files.sort()) readPhases(readFileSync(join(data, name, file)), open)
  }
  return open
}

function readPhases(bytes: Buffer, open: Map<string, Phase>): void {
  for (let at = 0; at + 12 <= bytes.length; ) {
    const size = batchSizeAt(bytes, at)
    if (size <= 12 || at + size > bytes.length) return // cut while it was written
    const header = readBatchHeader(bytes, at)
    const cursor = new RecordCursor(header, recordsOf(bytes, at, header, 1 << 24))
    while (!header.isControl && cursor.next()) {
      const record = decodeTransactionRecord(cursor.key() ?? Buffer.alloc(0), cursor.value())
      if (record.name !== 'TransactionLog') continue
      const phase = PHASES.at(record.value?.transactionStatus ?? 0)
      if (phase !== undefined && OPEN.has(phase)) open.set(record.key.transactionalId, phase)
      else open.delete(record.key.transactionalId)
    }
    at += size
  }
}
