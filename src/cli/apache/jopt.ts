// The option parser of most of Apache's tools (jopt-simple 5.0.4 without abbreviations, and Kafka's CommandLineUtils over it):
// what it accepts, the exceptions it throws with their words, and its help table. Values are converted when they are read,
// as there, so that a bad number is noticed where the tool asks for it.

import { FaceExit } from './face.ts'
import { JavaError } from './java-errors.ts'
import { KAFKA_VERSION } from './kafka-version.ts'

export interface JoptOption {
  /** Whether a value follows. Left out: none does. */
  readonly arg?: 'required' | 'optional'
  /** What the value is, in the help. */
  readonly describedAs?: string
  readonly type?: 'String' | 'Integer' | 'Long'
  /** Read where the option is not given. */
  readonly default?: string
  readonly help?: string
  /** parser.required(): its absence is an exception. */
  readonly isRequired?: boolean
  /** availableIf(): may be given only beside one of these. */
  readonly availableIf?: readonly string[]
  /** Other names for it: what older releases called it. Not in the help. */
  readonly aliases?: readonly string[]
  /** An old spelling: accepted, and not in the help. */
  readonly isHidden?: boolean
}

export type JoptTable = Readonly<Record<string, JoptOption>>

/** --help and --version, which every tool has. */
export const DEFAULT_OPTIONS = {
  help: { help: 'Print usage information.' },
  version: { help: 'Display Kafka version.' },
} as const satisfies JoptTable

/** What was given. Names are checked by the compiler. */
export interface JoptValues<Name extends string> {
  has(name: Name): boolean
  /** All values; the default where the option was not given. */
  all(name: Name): readonly string[]
  /** The only one. Throws where there are several. */
  value(name: Name): string | undefined
  /** As Integer.valueOf and Long.valueOf read them. Exact within ±(2^53−1). */
  int(name: Name): number | undefined
  long(name: Name): number | undefined
  /** Words that belong to no option. */
  readonly rest: readonly string[]
  /** The options as they were given, each as often as it was (OptionSet.specs). */
  readonly given: readonly Name[]
}

export interface Jopt<Name extends string> extends JoptValues<Name> {
  /** Kafka's CommandLineUtils.printUsageAndExit. */
  usage(message: string): FaceExit
}

/** Throws JavaErrors of joptsimple. */
export function parseJopt<T extends JoptTable>(table: T, argv: readonly string[]): Jopt<Extract<keyof T, string>> {
  type Name = Extract<keyof T, string>
  const found = new Map<string, string[]>()
  const given: Name[] = []
  const rest = readWords(table, argv, found, given)
  const values = (name: Name): readonly string[] => {
    const given = found.get(name)
    const fallback = table[name].default
    return given !== undefined && given.length > 0 ? given : fallback === undefined ? [] : [fallback]
  }
  const value = (name: Name): string | undefined => {
    const all = values(name)
    if (all.length > 1) throw optionError('MultipleArgumentsForOption', `Found multiple arguments for option ${name}, but you asked for only one`)
    return all.at(0)
  }
  const number = (name: Name, limit: bigint): number | undefined => {
    const text = value(name)
    return text === undefined ? undefined : Number(integer(text, limit) ?? cannotParse(text, name))
  }
  checkPresence(table, found)
  return {
    rest,
    given,
    has: (name) => found.has(name),
    all: values,
    value,
    int: (name) => number(name, 2n ** 31n),
    long: (name) => number(name, 2n ** 63n),
    usage: (message) => usageOf(table, message),
  }
}

/** Integer.parseInt or Long.parseLong: undefined for what they refuse. `limit` is one beyond the largest. */
export function integer(text: string, limit: bigint): bigint | undefined {
  if (!/^[-+]?\d+$/.test(text)) return undefined
  const number = BigInt(text.replace(/^\+/, ''))
  return number < limit && number >= -limit ? number : undefined
}

/** The answer to no words at all and to --help (the help on stderr, exit 1), and to --version. */
export function maybeHelp<Name extends string>(options: Jopt<Name | 'help' | 'version'>, argv: readonly string[], purpose: string): void {
  if (argv.length === 0 || options.has('help')) throw options.usage(purpose)
  if (options.has('version')) throw new FaceExit(0, { out: `${KAFKA_VERSION}\n` })
}

/** CommandLineUtils.checkRequiredArgs. */
export function checkRequired<Name extends string>(options: Jopt<Name>, ...names: readonly Name[]): void {
  for (const name of names) if (!options.has(name)) throw options.usage(`Missing required argument "[${name}]"`)
}

/** CommandLineUtils.checkInvalidArgs: the first of `invalid` that was given beside `used`. */
export function checkInvalid<Name extends string>(options: Jopt<Name>, used: Name, invalid: readonly Name[]): void {
  if (!options.has(used)) return
  const clash = invalid.find((name) => options.has(name))
  if (clash !== undefined) throw options.usage(`Option "[${used}]" can't be used with option "[${clash}]"`)
}

/** For tools that end with the help where the words can't be parsed; others let the exception pass. */
export function parseOrUsage<T extends JoptTable>(table: T, argv: readonly string[]): Jopt<Extract<keyof T, string>> {
  try {
    return parseJopt(table, argv)
  } catch (error) {
    throw error instanceof JavaError ? usageOf(table, error.message) : error
  }
}

/** The exit with a message and the help, without or before any parsing. */
export function usageOf(table: JoptTable, message: string): FaceExit {
  return new FaceExit(1, { err: `${message}\n${helpTable(table)}` })
}

function readWords(table: JoptTable, argv: readonly string[], found: Map<string, string[]>, given: string[]): string[] {
  const names = new Map(Object.entries(table).flatMap(([name, { aliases = [] }]) => [name, ...aliases].map((word) => [word, name])))
  const rest: string[] = []
  let at = 0
  const take = (name: string, inline: string | undefined): void => {
    const values = found.get(name) ?? []
    found.set(name, values)
    given.push(name)
    const { arg } = table[name]
    if (arg === undefined) return
    const next = argv.at(at)
    if (inline !== undefined) {
      values.push(inline)
    } else if (arg === 'required') {
      if (at >= argv.length) throw optionError('OptionMissingRequiredArgument', `Option ${name} requires an argument`)
      values.push(argv[at++])
    } else if (at < argv.length && next !== undefined && isOptionalValue(table[name], next)) {
      values.push(argv[at++])
    }
  }
  while (at < argv.length) {
    const word = argv[at++]
    if (word === '--') {
      rest.push(...argv.slice(at))
      break
    }
    if (word === '-' || !word.startsWith('-')) {
      rest.push(word)
      continue
    }
    const body = word.replace(/^--?/, '')
    const equals = body.indexOf('=')
    const key = equals < 0 ? body : body.slice(0, equals)
    const name = names.get(key)
    if (name !== undefined) take(name, equals < 0 ? undefined : body.slice(equals + 1))
    else if (word.startsWith('--')) throw unrecognized(key)
    else takeCluster(body, names, table, take)
  }
  return rest
}

/** Not what looks like an option; where a number is wanted, a number, be it negative. */
function isOptionalValue({ type = 'String' }: JoptOption, word: string): boolean {
  if (type !== 'String') return integer(word, type === 'Integer' ? 2n ** 31n : 2n ** 63n) !== undefined
  return !word.startsWith('-') || word === '-'
}

/** `-abc`: options of one letter each; one that takes a value takes the rest of the word. */
function takeCluster(body: string, names: ReadonlyMap<string, string>, table: JoptTable, take: (name: string, inline: string | undefined) => void): void {
  const letters = Array.from(body)
  for (const letter of letters) {
    const name = names.get(letter)
    if (name === undefined) throw unrecognized(letter)
    if (table[name].arg !== undefined) break
  }
  for (const [index, letter] of letters.entries()) {
    const name = names.get(letter) ?? letter
    const hasValue = table[name].arg !== undefined
    take(name, hasValue ? letters.slice(index + 1).join('') || undefined : undefined)
    if (hasValue) return
  }
}

function checkPresence(table: JoptTable, found: ReadonlyMap<string, unknown>): void {
  if (found.has('help') || found.has('version')) return
  const missing = Object.keys(table).filter((name) => table[name].isRequired === true && !found.has(name))
  if (missing.length > 0) throw optionError('MissingRequiredOptions', `Missing required option(s) [${missing.join(', ')}]`)
  const stray = Object.keys(table).filter((name) => found.has(name) && table[name].availableIf?.some((other) => found.has(other)) === false)
  if (stray.length > 0) {
    throw optionError('UnavailableOption', `Option(s) [${stray.join(', ')}] are unavailable given other options on the command line`)
  }
}

function unrecognized(name: string): JavaError {
  return optionError('UnrecognizedOption', `${name} is not a recognized option`)
}

function cannotParse(text: string, name: string): never {
  throw optionError('OptionArgumentConversion', `Cannot parse argument '${text}' of option ${name}`)
}

function optionError(kind: string, message: string): JavaError {
  return new JavaError(`joptsimple.${kind}Exception`, message)
}

const WIDTH = 80

function helpTable(table: JoptTable): string {
  const shown = Object.entries(table).filter(([, { isHidden }]) => isHidden !== true)
  const isMarked = shown.some(([, { isRequired }]) => isRequired === true)
  const rows = shown
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, option]) => [`${option.isRequired ? '* ' : ''}--${name}${placeholder(option)}`, describe(option)] as const)
  const headings = [isMarked ? 'Option (* = required)' : 'Option', 'Description'] as const
  const longest = Math.max(...[...rows, headings].map(([left]) => left.length))
  const left = Math.min(longest, WIDTH / 2)
  const right = WIDTH - left - 1
  const line = (a: string, b: string): string => `${a.padEnd(left)} ${b}`.trimEnd()
  const draw = ([option, text]: readonly [string, string]): string[] => {
    const first = wrap(option, left)
    const second = wrap(text, right)
    return Array.from({ length: Math.max(first.length, second.length) }, (_, i) => line(first[i] ?? '', second[i] ?? ''))
  }
  const underlines = headings.map((heading) => '-'.repeat(heading.length)) as [string, string]
  return `${[line(...headings), line(...underlines), ...rows.flatMap(draw)].join('\n')}\n`
}

function placeholder({ arg, type = 'String', describedAs }: JoptOption): string {
  if (arg === undefined) return ''
  const what = describedAs === undefined ? type : `${type}: ${describedAs}`
  return arg === 'required' ? ` <${what}>` : ` [${what}]`
}

function describe({ help = '', default: fallback }: JoptOption): string {
  return fallback === undefined ? help : `${help} (default: ${fallback})`.trim()
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = `  ${word}`
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
