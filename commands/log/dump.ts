// `ktool log dump`: what is in the files of a log. What reads them is loaded when it is asked for.

import * as Flags from '@oclif/core/flags'
import { KtoolCommand } from '../../src/cli/base-command.ts'
import type { dumpBatches } from '../../src/cli/offline/dump.ts'
import type { WordRules } from '../../src/cli/words.ts'

type Batch = typeof dumpBatches extends (path: string) => AsyncGenerator<infer B> ? B : never

export default class LogDump extends KtoolCommand {
  static override words: WordRules = { argument: 'file' }

  static override description =
    'Shows the batches of segments (.log) and snapshots (.checkpoint), or with --records their records; those of __consumer_offsets, ' +
    "__transaction_state and __cluster_metadata in words. Exits 1 when a file ends in something that is no whole batch. Kafka's own " +
    'view of all kinds of files is kafka-dump-log; see `ktool faces`.'

  static override usage = ['log dump FILE… [--records]']

  static override examples = [
    { description: 'The batches of a segment', command: 'ktool log dump /tmp/kraft-combined-logs/orders-0/00000000000000000000.log' },
    { description: 'What the cluster knows', command: 'ktool log dump --records --json __cluster_metadata-0/*.log' },
  ]

  static override flags = {
    file: Flags.string({ required: true, multiple: true, multipleNonGreedy: true, helpValue: 'FILE', summary: 'What to show; may be given bare, and several times.' }),
    records: Flags.boolean({ char: 'r', summary: 'Show the records, not the batches.' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(LogDump)
    for (const file of flags.file) await (flags.records ? this.#records(file) : this.#batches(file))
  }

  async #batches(file: string): Promise<void> {
    const rows: string[][] = []
    const draw = async (): Promise<void> => {
      const columns = [{ heading: 'position', align: 'right' }, { heading: 'offsets' }, { heading: 'time' }, { heading: 'size', align: 'right' }, { heading: 'codec' }, { heading: 'producer' }, { heading: 'kind' }] as const
      await this.output.table(columns, rows)
    }
    try {
      const { dumpBatches } = await import('../../src/cli/offline/dump.ts')
      for await (const batch of dumpBatches(file)) {
        if (this.output.isJson) this.output.json({ file, ...facts(batch) })
        else rows.push(rowOf(batch))
      }
    } finally {
      if (rows.length > 0) await draw()
    }
  }

  async #records(file: string): Promise<void> {
    const { dumpBatches, dumpRecords } = await import('../../src/cli/offline/dump.ts')
    for await (const batch of dumpBatches(file)) {
      for (const record of dumpRecords(file, batch)) {
        if (this.output.isJson) this.output.json({ file, ...record })
        else this.output.line(`${record.offset}  ${timeText(record.timestamp)}  ${record.key ?? '-'}  ${record.value ?? '-'}`)
      }
    }
  }
}

function facts({ header, position, size, magic, lastOffset, maxTimestamp, codec, isValid }: Batch): object {
  const common = { position, bytes: size, magic, lastOffset, maxTimestamp, codec, isValid }
  if (header === undefined) return common
  const { baseOffset, recordCount, leaderEpoch, producerId, producerEpoch, baseSequence, isTransactional, isControl } = header
  return { ...common, baseOffset, records: recordCount, leaderEpoch, producerId: String(producerId), producerEpoch, baseSequence, isTransactional, isControl }
}

function rowOf({ header, position, size, lastOffset, maxTimestamp, codec, isValid, magic }: Batch): string[] {
  const first = header?.baseOffset ?? lastOffset
  const producer = header === undefined || header.producerId < 0n ? '-' : `${header.producerId} epoch ${header.producerEpoch}`
  const kind = header === undefined ? `format ${magic}` : header.isControl ? 'control' : header.isTransactional ? 'transactional' : 'plain'
  const offsets = first === lastOffset ? String(first) : `${first}-${lastOffset}`
  return [String(position), offsets, timeText(maxTimestamp), String(size), codec, producer, isValid ? kind : `${kind}, WRONG CHECKSUM`]
}

function timeText(ms: number): string {
  return ms < 0 || ms > 8.64e15 ? '-' : new Date(ms).toISOString()
}
