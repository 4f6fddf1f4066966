// Plans of kafka-consumer-groups as CSV, `topic,partition,offset` or with the group in front, as Jackson reads and writes it:
// what is missing at the end of a line is 0, and what is wrong with one is said in Jackson's words (CsvUtils, OffsetsUtils).

import { type FaceIo, traceOf } from './face.ts'
import { readJavaFile } from './file-text.ts'
import { illegalArgument, JavaError, toJava, wrappedInRuntime } from './java-errors.ts'
import { javaSplit } from './java-text.ts'

export interface PlanRow {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** A schema: the columns in order, and Java's class of the record. */
interface Schema {
  readonly fields: readonly string[]
  readonly record: string
}

const NO_GROUP: Schema = { fields: ['topic', 'partition', 'offset'], record: 'CsvRecordNoGroup' }
const WITH_GROUP: Schema = { fields: ['group', ...NO_GROUP.fields], record: 'CsvRecordWithGroup' }

export async function planText(path: string): Promise<string> {
  try {
    return await readJavaFile(path)
  } catch (error) {
    throw wrappedInRuntime(toJava(error))
  }
}

/**
 * `onlyGroup`: the one that was asked for, whose lines may leave it out; whether they do the first line tells, and what keeps
 * it from being such a line is printed. Throws the JavaError of a line that is none.
 */
export function parsePlan(text: string, onlyGroup: string | undefined, io: FaceIo): PlanRow[] {
  const lines = javaSplit(text, '\n')
  const hasGroups = lines.length > 0 && !isReadable(lines[0], io)
  const isOld = onlyGroup !== undefined && !hasGroups
  try {
    return lines.map((line) => {
      const { group, ...row } = recordOf(line, isOld ? NO_GROUP : WITH_GROUP)
      if (row.offset < 0) throw illegalArgument('Invalid negative offset')
      return { group: isOld ? onlyGroup : group, ...row }
    })
  } catch (error) {
    if (!(error instanceof JavaError) || !error.className.startsWith('com.fasterxml.')) throw error
    throw wrappedInRuntime(error)
  }
}

function isReadable(line: string, io: FaceIo): boolean {
  try {
    recordOf(line, NO_GROUP)
    return true
  } catch (error) {
    io.err(traceOf(error))
    return false
  }
}

/** Jackson quotes what it doesn't look through: from 25 characters on. */
export function csvCell(text: string): string {
  return text.length > 24 || /[^-./0-~]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function recordOf(line: string, { fields, record }: Schema): PlanRow {
  const cells = cellsOf(line)
  const extra = cells.at(fields.length)
  const read = (field: string): Cell | undefined => cells.at(fields.indexOf(field))
  const number = (field: string, type: 'int' | 'long', limit: number): number => {
    const cell = read(field)
    const text = cell?.text.trim() ?? ''
    const value = Number(text)
    const at = `${where(cell?.column ?? 1)} (through reference chain: org.apache.kafka.tools.consumer.group.CsvUtils$${record}["${field}"])`
    if (!/^([-+]?\d+)?$/.test(text)) {
      throw jackson('databind.exc.InvalidFormatException', `Cannot deserialize value of type \`${type}\` from String "${cell?.text ?? ''}": not a valid \`${type}\` value${at}`)
    }
    if (value >= limit || value < -limit) throw jackson('databind.JsonMappingException', `Numeric value (${text}) out of range of ${type}${at}`)
    return value
  }
  const partition = number('partition', 'int', 2 ** 31)
  const offset = number('offset', 'long', 2 ** 63)
  if (extra !== undefined) {
    const size = `value #${fields.length} (${extra.text.length} chars) "${extra.text}"`
    throw jackson('dataformat.csv.CsvReadException', `Too many entries: expected at most ${fields.length} (${size})${where(extra.column)}`)
  }
  return { group: fields.includes('group') ? (read('group')?.text ?? '') : '', topic: read('topic')?.text ?? '', partition, offset }
}

interface Cell {
  readonly text: string
  /** From 1. */
  readonly column: number
}

function cellsOf(line: string): Cell[] {
  const text = line.replace(/\r$/, '')
  if (text === '') {
    throw jackson('databind.exc.MismatchedInputException', 'No content to map due to end-of-input\n at [Source: (StringReader); line: UNKNOWN, column: UNKNOWN]')
  }
  const cells: Cell[] = []
  for (let at = 0; at <= text.length; ) {
    if (text[at] === '"') {
      const quoted = /"((?:[^"]|"")*)"[^,]*/y
      quoted.lastIndex = at
      const match = quoted.exec(text)
      if (match === null) throw jackson('core.JsonParseException', `Missing closing quote for value${where(text.length + 1)}`)
      cells.push({ text: match[1].replaceAll('""', '"'), column: at + 1 })
      at = quoted.lastIndex + 1
    } else {
      const comma = text.indexOf(',', at)
      const end = comma < 0 ? text.length : comma
      cells.push({ text: text.slice(at, end), column: at + 1 })
      at = end + 1
    }
  }
  return cells
}

function where(column: number): string {
  return `\n at [Source: (StringReader); line: 1, column: ${column}]`
}

function jackson(kind: string, message: string): JavaError {
  return new JavaError(`com.fasterxml.jackson.${kind}`, message)
}
