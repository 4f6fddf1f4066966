// A log or a snapshot for `ktool log dump`: its batches, or its records, with the records of the internal topics in words.

import { basename, dirname, join, resolve } from 'node:path'
import { CliError, ExitCode, operationError } from '../errors.ts'
import { LogFile, LogFileError, type LogBatch, type LogRecord } from './log-file.ts'
import { controlText, metadataDecoder, offsetsDecoder, type RecordDecoder, shareStateDecoder, transactionDecoder } from './record-decoders.ts'
import { remoteLogDecoder } from './remote-log-decoder.ts'

export interface DumpedRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headerKeys: readonly string[]
}

const DECODERS: Readonly<Record<string, RecordDecoder>> = {
  __consumer_offsets: offsetsDecoder,
  __transaction_state: transactionDecoder,
  __share_group_state: shareStateDecoder,
  __remote_log_metadata: remoteLogDecoder,
  __cluster_metadata: metadataDecoder,
}

/** The batches of a file. CliError where it can't be read; a damaged one ends with an operation error. */
export async function* dumpBatches(path: string): AsyncGenerator<LogBatch> {
  const file = opened(path)
  try {
    let end = 0
    for await (const batch of file.batches()) {
      yield batch
      end = batch.position + batch.size
    }
    if (end < file.size) throw operationError('DAMAGED', `${path}: ${file.size - end} bytes behind position ${end} are no whole batch`)
  } catch (error) {
    throw error instanceof LogFileError ? operationError('DAMAGED', `${path}: ${error.message}`) : error
  } finally {
    file.close()
  }
}

function opened(path: string): LogFile {
  try {
    return new LogFile(path)
  } catch (error) {
    if (error instanceof LogFileError) {
      const hint = error.message === 'Is a directory' ? `name the files in it, as ${join(path, '*.log')}` : null
      throw new CliError({ code: 'NO_FILE', message: `${path}: ${error.message}`, hint, exitCode: ExitCode.usage }, error)
    }
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    throw new CliError({ code: 'NO_FILE', message: `${path} is not there`, exitCode: ExitCode.usage }, error)
  }
}

/** Records in words; those of an internal topic by what their folder is called. */
export function* dumpRecords(path: string, batch: LogBatch): Generator<DumpedRecord> {
  const topic = basename(path) === 'bootstrap.checkpoint' ? '__cluster_metadata' : basename(dirname(resolve(path))).replace(/-\d+$/, '')
  const decoder = DECODERS[topic] as RecordDecoder | undefined
  for (const record of batch.records()) {
    const { offset, timestamp, headerKeys } = record
    yield { offset, timestamp, headerKeys, ...textOf(record, batch, decoder) }
  }
}

function textOf(record: LogRecord, batch: LogBatch, decoder: RecordDecoder | undefined): { key: string | null; value: string | null } {
  if (batch.header?.isControl === true) return { key: null, value: controlText(record).trim() }
  if (decoder === undefined || (record.key === null && decoder !== metadataDecoder && decoder !== remoteLogDecoder)) {
    return { key: record.key?.toString() ?? null, value: record.value?.toString() ?? null }
  }
  const { key, value } = decoder(record)
  return { key: key ?? null, value: value ?? null }
}
