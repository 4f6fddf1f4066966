// What produced records are read by: something cuts the input into pieces, and a parser says where in a piece the fields are.

import type { LineReader } from '../../kernels/line-reader.ts'

/** Fields are ranges of `source`; a start of −1 is null. They hold until the next `parse`. */
export interface RecordParser {
  /** Whether every line is just a value: then nothing is parsed, and lines go to the kernel as they are. */
  readonly isPlain: boolean
  readonly source: Buffer
  readonly keyStart: number
  readonly keyEnd: number
  readonly valueStart: number
  readonly valueEnd: number
  /** encodeHeaders */
  readonly headers: Buffer
  /** Where the record itself says where to and when, and is asked. `timestamp` in ms. */
  readonly topic: string | undefined
  readonly partition: number | undefined
  readonly timestamp: number | undefined
  /** Finds the fields of `piece[start, end)`; throws when they can't be found. */
  parse(piece: Buffer, start: number, end: number, lineNumber: number): void
  /** How long the input of a record may be whose value is no longer than `longestValue`; as long, when left out. */
  longestPiece?(longestValue: number): number
  /** What cuts the input, where that is not lines. */
  cutter?(longest: number): RecordCutter
}

/** Cuts a stream of bytes into pieces, one a record: a LineReader, or something like it. */
export type RecordCutter = Pick<
  LineReader,
  'bytes' | 'lineStart' | 'lineEnd' | 'lineNumber' | 'droppedBytes' | 'space' | 'filled' | 'push' | 'finish' | 'next'
>
