// Whom a metadata log names, and whether all in it is known here: asked before anything is written beside it.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ProtocolError } from '../../protocol/errors.ts'
import { decodeControlKey, decodeControlValue, LeaderChangeMessage, VotersRecord } from '../../protocol/records/control.ts'
import { decodeMetadataRecord } from '../../protocol/records/metadata.ts'
import { type LogBatch, LogFile, LogFileError, type LogRecord } from './log-file.ts'

/** Why node `nodeId` can't go on alone with the metadata in this log directory; undefined: it can. Writes nothing. */
export async function foreignMetadata(logDirectory: string, nodeId: number): Promise<string | undefined> {
  const directory = join(logDirectory, '__cluster_metadata-0')
  if (!existsSync(directory)) return undefined
  const nodes = new Set<number>()
  for (const name of readdirSync(directory).filter((file) => /^\d{20}(-\d{10}\.checkpoint|\.log)$/.test(file)).sort()) {
    const path = join(directory, name)
    let file: LogFile | undefined
    try {
      file = new LogFile(path)
      for await (const batch of file.batches()) for (const record of batch.records()) collect(batch, record, nodes)
    } catch (error) {
      if (!(error instanceof ProtocolError) && !(error instanceof LogFileError)) throw error
      return `${path} holds something that is not known here: ${error.message}`
    } finally {
      file?.close()
    }
  }
  nodes.delete(nodeId)
  return nodes.size === 0 ? undefined : `the metadata log in ${directory} names node ${[...nodes].sort((a, b) => a - b).join(', ')}`
}

function collect({ header }: LogBatch, { key, value }: LogRecord, nodes: Set<number>): void {
  const bytes = value ?? Buffer.alloc(0)
  if (header?.isControl === true) {
    const type = decodeControlKey(key ?? Buffer.alloc(0))
    const voters = type === 'KRAFT_VOTERS' ? decodeControlValue(VotersRecord, bytes).voters : type === 'LEADER_CHANGE' ? decodeControlValue(LeaderChangeMessage, bytes).voters : []
    for (const { voterId } of voters) nodes.add(voterId)
    return
  }
  const record = decodeMetadataRecord(bytes)
  if (record.name === 'RegisterBrokerRecord') nodes.add(record.value.brokerId)
  if (record.name === 'UnregisterBrokerRecord') nodes.delete(record.value.brokerId)
  if (record.name === 'RegisterControllerRecord') nodes.add(record.value.controllerId)
  if (record.name === 'PartitionRecord') for (const id of record.value.replicas) nodes.add(id)
}
