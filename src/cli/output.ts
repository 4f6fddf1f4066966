// Where text leaves the program. Data goes to stdout, talk to stderr; each stream is judged by itself. The only importer of
// chalk and cli-table3, both loaded when first needed: chalk ignores NO_COLOR and cli-table3 always colours, so both are told.

import { printable } from '../base/logger.ts'
import { failureLine, type Failure } from './errors.ts'
import { bytesText, durationText } from './quantities.ts'

export const FORMATS = ['table', 'text', 'json'] as const

export type OutputFormat = (typeof FORMATS)[number]

export interface Streams {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly env: NodeJS.ProcessEnv
}

export interface Column {
  readonly heading: string
  readonly align?: 'left' | 'right'
}

export interface Paint {
  heading(text: string): string
  faint(text: string): string
  good(text: string): string
  bad(text: string): string
}

// cli-table3 takes quadratic time: 170 ms for 1,000 rows, 5.2 s for 10,000.
const MOST_TABLE_ROWS = 500

export class Output {
  readonly isTerminal: boolean
  /** What was asked for, else a table on a terminal and text in a pipe. */
  readonly format: OutputFormat
  /** Of what is shown again and again: goes in front of each JSON object. */
  time: string | undefined
  readonly #streams: Streams
  #held: string[] | undefined

  constructor(streams: Streams, asked: OutputFormat | undefined) {
    this.#streams = streams
    this.isTerminal = streams.stdout.isTTY
    this.format = asked ?? (this.isTerminal ? 'table' : 'text')
  }

  get isJson(): boolean {
    return this.format === 'json'
  }

  /** One line of data, its control characters made visible. */
  line(text: string): void {
    this.#print(`${printable(text)}\n`)
  }

  /** A line over what follows: a name that stands out, and what is to be said of it. */
  async heading(title: string, more = ''): Promise<void> {
    const paint = await this.paint()
    this.#print(`${paint.heading(printable(title))}${printable(more)}\n`)
  }

  /** One JSON object on one line. */
  json(value: object): void {
    this.#print(`${jsonText(this.time === undefined ? value : { time: this.time, ...value })}\n`)
  }

  /** Raw bytes to stdout. Wait for the promise, when there is one, before writing more: the reader is slower than we are. */
  write(bytes: Uint8Array | string): Promise<void> | undefined {
    const { stdout } = this.#streams
    if (this.#held !== undefined) {
      this.#held.push(Buffer.from(bytes).toString())
      return undefined
    }
    if (stdout.write(bytes)) return undefined
    return new Promise((resolve) => stdout.once('drain', resolve))
  }

  /** Rows under headings: a table or aligned text, by the format. Nothing is ever cut. */
  async table(columns: readonly Column[], rows: readonly (readonly string[])[]): Promise<void> {
    const clean = rows.map((row) => row.map(printable))
    const text =
      this.format === 'table' && clean.length <= MOST_TABLE_ROWS
        ? await drawTable(columns, clean, await this.paint())
        : alignColumns(columns, clean)
    this.#print(text)
  }

  /** A size: for a person in a table, bytes elsewhere. */
  size(bytes: number): string {
    return this.format === 'table' ? bytesText(bytes) : String(bytes)
  }

  /** A time span: for a person in a table, milliseconds elsewhere. */
  duration(ms: number): string {
    return this.format === 'table' ? durationText(ms) : String(Math.round(ms))
  }

  /** The name of what size() or duration() shows, with its unit where the number has none. */
  named(name: string, unit: 'ms' | 'bytes'): string {
    return this.format === 'table' ? name : `${name} (${unit})`
  }

  /** A moment, ms since 1970: how long ago in a table, ISO 8601 elsewhere; `-` when it is negative, which is never. */
  moment(ms: number, now: number): string {
    if (ms < 0) return '-'
    return this.format === 'table' ? `${durationText(Math.max(0, now - ms))} ago` : new Date(ms).toISOString()
  }

  /** Something said to a person, on stderr. */
  talk(text: string): void {
    if (this.#held !== undefined) this.#held.push(`${printable(text)}\n`)
    else this.#streams.stderr.write(`${printable(text)}\n`)
  }

  /** The same for a program. */
  note(value: object): void {
    this.#streams.stderr.write(`${jsonText(value)}\n`)
  }

  fail(failure: Failure): void {
    const { code, message, hint } = failure
    if (this.isJson) this.#streams.stderr.write(`${jsonText({ code, message, hint })}\n`)
    else this.talk(`ktool: ${failureLine(failure)}`)
  }

  /** What `draw` says on either stream, as one text instead of there. */
  async held(draw: () => Promise<void>): Promise<string> {
    const held: string[] = []
    this.#held = held
    try {
      await draw()
    } finally {
      this.#held = undefined
    }
    return held.join('')
  }

  /** Rows of the terminal that stdout is; undefined: it is none, or doesn't say. */
  get height(): number | undefined {
    return (this.#streams.stdout.rows) || undefined
  }

  #print(text: string): void {
    if (this.#held !== undefined) this.#held.push(text)
    else this.#streams.stdout.write(text)
  }

  /** Colours for stdout; plain text where there are none. */
  async paint(): Promise<Paint> {
    const level = colourLevel(this.#streams.stdout, this.#streams.env)
    if (level === 0) return PLAIN
    const { Chalk } = await import('chalk')
    const chalk = new Chalk({ level })
    return { heading: chalk.bold, faint: chalk.dim, good: chalk.green, bad: chalk.red }
  }
}

/** The format that the words of a command line ask for; parsing may fail before the flags are known. */
export function askedFormat(argv: readonly string[]): OutputFormat | undefined {
  const end = argv.indexOf('--')
  const words = end === -1 ? argv : argv.slice(0, end)
  if (words.includes('--json')) return 'json'
  const at = words.findLastIndex((word) => word === '--output' || word.startsWith('--output='))
  const asked = words[at] === '--output' ? words[at + 1] : words[at]?.slice('--output='.length)
  return FORMATS.find((format) => format === asked)
}

/** JSON that shows no control character either: what it leaves as it is stands in strings, where an escape means the same. */
function jsonText(value: object): string {
  return printable(JSON.stringify(value))
}

const same = (text: string): string => text
const PLAIN: Paint = { heading: same, faint: same, good: same, bad: same }

/** NO_COLOR (not empty) before FORCE_COLOR (0 to 3) before whether it is a terminal that can. */
export function colourLevel(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): 0 | 1 | 2 | 3 {
  if (env.NO_COLOR) return 0
  if (env.FORCE_COLOR !== undefined) {
    if (env.FORCE_COLOR === '0' || env.FORCE_COLOR === 'false') return 0
    return env.FORCE_COLOR === '2' ? 2 : env.FORCE_COLOR === '3' ? 3 : 1
  }
  return stream.isTTY && env.TERM !== 'dumb' ? 1 : 0
}

async function drawTable(columns: readonly Column[], rows: readonly (readonly string[])[], paint: Paint): Promise<string> {
  const { default: Table } = await import('cli-table3')
  const table = new Table({
    head: columns.map(({ heading }) => paint.heading(heading)),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    style: { head: [], border: [], compact: true },
  })
  for (const row of rows) table.push([...row])
  return `${table.toString()}\n`
}

/** Two blanks between columns, none at the end of a line. */
export function alignColumns(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ heading }, i) => {
    return rows.reduce((width, row) => Math.max(width, row[i]?.length ?? 0), heading.length)
  })
  const draw = (cells: readonly string[]): string => {
    const padded = cells.map((cell, i) => {
      return columns[i]?.align === 'right' ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)
    })
    return `${padded.join('  ').trimEnd()}\n`
  }
  return [columns.map(({ heading }) => heading.toUpperCase()), ...rows].map(draw).join('')
}
