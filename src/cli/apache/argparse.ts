// The option parser of the rest of Apache's tools (argparse4j 0.7.0): options before and behind a subcommand, prefixes of long
// options and of commands, groups of which one may be given, and the errors with their words. That something required is
// missing is noticed last, as there. What it prints is made in argparse-text.ts.

import { readFileSync } from 'node:fs'
import { type Argument, type Command, destOf, isOption, optionsOf, type Parser, type Program, takesValue, type Value } from './argparse-program.ts'
import { didYouMean, helpText, usageText, wrapped } from './argparse-text.ts'
import { FaceExit, type FaceIo } from './face.ts'
import { integer } from './jopt.ts'
import { KAFKA_COMMIT, KAFKA_VERSION } from './kafka-version.ts'

export type { Argument, Program } from './argparse-program.ts'

/** What was given, by dest. */
export class Namespace {
  readonly command: string | undefined
  readonly #values: ReadonlyMap<string, Value>

  constructor(values: ReadonlyMap<string, Value>, command: string | undefined) {
    this.#values = values
    this.command = command
  }

  string(dest: string): string | undefined {
    const value = this.#values.get(dest)
    return typeof value === 'string' ? value : undefined
  }

  number(dest: string): number | undefined {
    const value = this.#values.get(dest)
    return typeof value === 'number' ? value : undefined
  }

  long(dest: string): bigint | undefined {
    const value = this.#values.get(dest)
    return typeof value === 'bigint' ? value : undefined
  }

  has(dest: string): boolean {
    return this.#values.get(dest) === true
  }

  /** undefined: not given. */
  strings(dest: string): readonly string[] | undefined {
    const value = this.#values.get(dest)
    return Array.isArray(value) ? value.flat(2).map(String) : undefined
  }
}

/** What can't be parsed. `report`: the usage and the error, for stderr. */
export class ArgparseError extends Error {
  override readonly name = 'ArgparseError'
  readonly report: string

  constructor(message: string, report: string) {
    super(message)
    this.report = report
  }
}

/** --help: the tools print it on stdout, and don't agree on the exit code. */
export class HelpScreen extends Error {
  override readonly name = 'HelpScreen'
  readonly help: string

  constructor(help: string) {
    super('help')
    this.help = help
  }
}

/** The words of `argv` by `program`. Throws ArgparseError, HelpScreen, and the FaceExit of --version. */
export function parseArguments(program: Program, argv: readonly string[], io: FaceIo): Namespace {
  const state: State = { words: argv, at: 0, lastFromFile: -1, isSeparated: false, missing: undefined, width: formatWidth(io), values: new Map(), command: undefined }
  new Run({ ...program, program }, state).parse()
  if (state.missing !== undefined) throw state.missing
  return new Namespace(state.values, state.command)
}

/** The error of a check that a tool makes itself: ArgumentParserException(message, parser). */
export function argparseError(program: Program, message: string, io: FaceIo): ArgparseError {
  return errorOf({ ...program, program }, message, formatWidth(io))
}

/** How most tools end for an error of this parser, or for --help. */
export function argparseExit(error: ArgparseError | HelpScreen): FaceExit {
  return error instanceof HelpScreen ? new FaceExit(0, { out: error.help }) : new FaceExit(1, { err: error.report })
}

interface State {
  words: readonly string[]
  at: number
  /** Index of the last word that came from a file. */
  lastFromFile: number
  /** Whether `--` went by. */
  isSeparated: boolean
  /** The first parser to miss something, said when all words are read. */
  missing: ArgparseError | undefined
  readonly width: number
  readonly values: Map<string, Value>
  command: string | undefined
}

/** As errors name it. */
function nameOf({ flags }: Argument): string {
  return flags.join('/')
}

/** One parser reading its words: the program, and then perhaps one of its commands. */
class Run {
  readonly #parser: Parser
  readonly #state: State
  readonly #options: readonly Argument[]
  readonly #positionals: readonly Argument[]
  readonly #byFlag: ReadonlyMap<string, Argument>
  readonly #used = new Set<Argument>()
  readonly #usedOfGroup = new Map<string, Argument>()
  /** Words for the positionals, dealt out when all are there. */
  readonly #places: string[] = []
  #positional = 0

  constructor(parser: Parser, state: State) {
    this.#parser = parser
    this.#state = state
    this.#options = optionsOf(parser)
    this.#positionals = parser.arguments.filter((argument) => !isOption(argument))
    this.#byFlag = new Map(this.#options.flatMap((option) => option.flags.map((flag) => [flag, option])))
    for (const argument of parser.arguments) {
      if (argument.action === 'version') continue
      state.values.set(destOf(argument), argument.default ?? (argument.action === 'storeTrue' ? false : null))
    }
  }

  parse(): void {
    const state = this.#state
    const { commands } = this.#parser.parent === undefined ? this.#parser.program : {}
    while (state.at < state.words.length) {
      const isFlag = this.#isFlag()
      const word = state.words.at(state.at)
      if (word === undefined) break // a file without lines
      if (isFlag && word !== '--') this.#option()
      else if (word === '--' && !state.isSeparated) {
        state.isSeparated = true
        state.at++
      } else if (this.#positional < this.#positionals.length) this.#place(this.#positionals[this.#positional])
      else if (!state.isSeparated && commands !== undefined) {
        this.#finish()
        this.#command(commands)
        return
      } else throw this.#unrecognized(state.words.slice(state.at).join(' '))
    }
    if (commands !== undefined) throw this.#error('too few arguments')
    this.#finish()
  }

  #option(): void {
    const { words, at } = this.#state
    const word = words[at]
    const equals = word.indexOf('=')
    const flag = equals < 0 ? word : word.slice(0, equals)
    const option = this.#resolve(flag)
    if (option === undefined) {
      this.#shortOptions(word)
      return
    }
    this.#state.at++
    this.#run(option, equals < 0 ? undefined : word.slice(equals + 1))
  }

  /** `-abvalue`: options of one letter each; the first that takes a value takes the rest. */
  #shortOptions(word: string): void {
    const letters = word.startsWith('--') ? [] : Array.from(word.slice(1))
    const options = letters.map((letter) => this.#byFlag.get(`-${letter}`))
    const last = options.findIndex((option) => option === undefined || takesValue(option))
    const wordEnds = last < 0 ? options.length : last
    for (const option of options.slice(0, wordEnds)) if (option !== undefined) this.#run(option, undefined)
    const option = options.at(wordEnds)
    if (letters.length === 0 || (wordEnds < options.length && option === undefined)) throw this.#unrecognized(word, word)
    this.#state.at++
    if (option !== undefined) this.#run(option, letters.slice(wordEnds + 1).join('') || undefined)
  }

  #resolve(flag: string): Argument | undefined {
    const exact = this.#byFlag.get(flag)
    if (exact !== undefined) return exact
    const candidates = [...this.#byFlag.keys()].filter((each) => each.startsWith(flag))
    if (candidates.length === 0) return undefined
    if (candidates.length === 1) return this.#byFlag.get(candidates[0])
    throw this.#error(`ambiguous option: ${flag} could match ${candidates.sort().join(', ')}`)
  }

  #run(option: Argument, inline: string | undefined): void {
    this.#checkGroup(option)
    this.#used.add(option)
    const { values, width } = this.#state
    if (!takesValue(option)) {
      if (inline !== undefined) throw this.#error(`ignore implicit argument '${inline}'`, option)
      if (option.action === 'help') throw new HelpScreen(helpText(this.#parser, width))
      if (option.action === 'version') throw new FaceExit(0, { out: `${KAFKA_VERSION} (Commit:${KAFKA_COMMIT})\n` })
      values.set(destOf(option), true)
      return
    }
    const given = this.#values(option, inline)
    const before = values.get(destOf(option))
    values.set(destOf(option), option.action === 'append' ? [...(Array.isArray(before) ? (before as Value[]) : []), given] : given)
  }

  #values(option: Argument, inline: string | undefined): Value {
    const state = this.#state
    const isMore = (): boolean => state.at < state.words.length && !this.#isFlag()
    const take = (): Value => this.#convert(option, state.words[state.at++])
    const { nargs } = option
    if (nargs === undefined || nargs === '?') {
      if (inline !== undefined) return this.#convert(option, inline)
      if (isMore()) return take()
      if (nargs === undefined) throw this.#error('expected one argument', option)
      return null
    }
    const list: Value[] = inline === undefined ? [] : [this.#convert(option, inline)]
    while (inline === undefined && isMore()) list.push(take())
    if (nargs === '+' && list.length === 0) throw this.#error('expected 1 argument(s)', option)
    return list
  }

  #place({ nargs }: Argument): void {
    const state = this.#state
    if (nargs === undefined || nargs === '?') {
      this.#places.push(state.words[state.at++])
      this.#positional++
      return
    }
    while (state.at < state.words.length && !this.#isFlag()) this.#places.push(state.words[state.at++])
  }

  #command(commands: Readonly<Record<string, Command>>): void {
    const word = this.#state.words[this.#state.at]
    const names = Object.keys(commands)
    const candidates = names.includes(word) ? [word] : word === '' ? [] : names.filter((name) => name.startsWith(word))
    if (candidates.length > 1) throw this.#error(`ambiguous command: ${word} could match ${candidates.sort().join(', ')}`)
    if (candidates.length === 0) {
      const choice = `invalid choice: '${word}' (choose from ${names.map((name) => `'${name}'`).join(', ')})`
      throw errorOf(this.#parser, choice, this.#state.width, didYouMean(word, names.map((name) => [name, name])))
    }
    this.#state.at++
    const [name] = candidates
    const { program } = this.#parser
    new Run({ ...commands[name], prog: program.prog, name, parent: program, program }, this.#state).parse()
    this.#state.command = name
  }

  /** Deals out the words without dashes, and notes what is missing. */
  #finish(): void {
    const needs = this.#positionals.map(({ nargs }) => (nargs === '?' || nargs === '*' ? 0 : 1))
    let left = needs.reduce<number>((sum, each) => sum + each, 0)
    if (left > this.#places.length) throw this.#error('too few arguments')
    let at = 0
    for (const [index, argument] of this.#positionals.entries()) {
      left -= needs[index]
      const most = this.#places.length - at - left
      const isList = argument.nargs === '*' || argument.nargs === '+'
      const taken = this.#places.slice(at, at + (isList ? most : Math.min(1, most))).map((word) => this.#convert(argument, word))
      at += taken.length
      if (taken.length > 0) this.#state.values.set(destOf(argument), isList ? taken : taken[0])
    }
    this.#checkRequired()
  }

  #checkRequired(): void {
    if (this.#state.missing !== undefined) return
    const option = this.#options.findLast((each) => each.isRequired === true && !this.#used.has(each))
    if (option !== undefined) {
      this.#state.missing = this.#error(`argument ${nameOf(option)} is required`)
      return
    }
    for (const [key, { isMutex, isRequired }] of Object.entries(this.#parser.groups ?? {})) {
      if (isMutex !== true || isRequired !== true || this.#usedOfGroup.has(key)) continue
      const names = this.#options.filter(({ group, isHidden }) => group === key && isHidden !== true).map(nameOf)
      this.#state.missing ??= this.#error(`one of the arguments ${names.join(' ')} is required`)
    }
  }

  #checkGroup(option: Argument): void {
    const { group } = option
    if (group === undefined || this.#parser.groups?.[group].isMutex !== true) return
    const before = this.#usedOfGroup.get(group)
    if (before !== undefined && before !== option) throw this.#error(`not allowed with argument ${nameOf(before)}`, option)
    this.#usedOfGroup.set(group, option)
  }

  #isFlag(): boolean {
    this.#expandFiles()
    const { words, at, isSeparated } = this.#state
    const word = words.at(at)
    if (isSeparated || word === undefined) return false
    return word === '--' || (/^-+[^-]/.test(word) && !/^-\d+$/.test(word))
  }

  /** A file's lines in the place of its name. */
  #expandFiles(): void {
    const state = this.#state
    const { fromFilePrefix } = this.#parser.program
    for (let word = state.words.at(state.at); fromFilePrefix !== undefined && word?.startsWith(fromFilePrefix) === true && word !== fromFilePrefix; word = state.words.at(state.at)) {
      const path = word.slice(fromFilePrefix.length)
      const lines = linesOf(path)
      if (lines === undefined) throw this.#error(`Could not read arguments from file '${path}'`)
      const behind = state.at + 1
      state.lastFromFile = state.lastFromFile < behind ? lines.length - 1 : state.lastFromFile + lines.length - behind
      state.words = [...lines, ...state.words.slice(behind)]
      state.at = 0
    }
  }

  #convert(argument: Argument, text: string): Value {
    const value = converted(argument.type ?? 'String', text)
    if (value instanceof Error) throw this.#error(`could not convert '${text}' to ${argument.type ?? 'String'} (${value.message})`, argument)
    if (argument.choices !== undefined && !argument.choices.includes(text)) {
      throw this.#error(`invalid choice: '${text}' (choose from {${argument.choices.join(',')}})`, argument)
    }
    return value
  }

  #unrecognized(words: string, word?: string): ArgparseError {
    const { at, lastFromFile, width } = this.#state
    const prefix = this.#parser.program.fromFilePrefix ?? ''
    const advice = at > lastFromFile ? '' : `\nChecking trailing white spaces or new lines in ${prefix}file may help.`
    const body = word?.replace(/^-+/, '') ?? ''
    const flags = this.#options.flatMap((option) => option.flags.map((flag): [string, string] => [flag, flag.replace(/^-+/, '')]))
    const near = body.length < 2 ? '' : didYouMean(body, flags.filter(([, name]) => name.length > 1))
    return errorOf(this.#parser, `unrecognized arguments: '${words}'${advice}`, width, near)
  }

  #error(message: string, argument?: Argument): ArgparseError {
    return errorOf(this.#parser, argument === undefined ? message : `argument ${nameOf(argument)}: ${message}`, this.#state.width)
  }
}

function errorOf(parser: Parser, message: string, width: number, more = ''): ArgparseError {
  return new ArgparseError(message, `${usageText(parser, width)}${wrapped(`${parser.prog}: error: ${message}\n`, width)}${more}`)
}

function linesOf(path: string): string[] | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '').split(/\r?\n/)
  } catch {
    return undefined
  }
}

const LIMITS = { Short: 2n ** 15n, Integer: 2n ** 31n, Long: 2n ** 63n } as const

/** valueOf of the Java class; the exception it throws is given back. */
function converted(type: NonNullable<Argument['type']>, text: string): Value | Error {
  if (type === 'String') return text
  if (type === 'Float' || type === 'Double') return decimal(text)
  const value = integer(text, LIMITS[type])
  if (value !== undefined) return type === 'Long' ? value : Number(value)
  const isShort = type === 'Short' && integer(text, LIMITS.Integer) !== undefined
  return new Error(isShort ? `Value out of range. Value:"${text}" Radix:10` : `For input string: "${text}"`)
}

function decimal(text: string): number | Error {
  const trimmed = text.trim()
  if (trimmed === '') return new Error('empty String')
  if (/^[-+]?(NaN|Infinity)$/.test(trimmed)) return Number(trimmed.replace(/^[-+](?=N)/, ''))
  if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?[fd]?$/i.test(trimmed)) return new Error(`For input string: "${text}"`)
  return Number(trimmed.replace(/[fd]$/i, ''))
}

/** Five columns less than the terminal has. */
function formatWidth(io: FaceIo): number {
  const { COLUMNS } = io.env
  const columns = COLUMNS === undefined ? (io.stdout.isTTY ? io.stdout.columns : -1) : Number(integer(COLUMNS, LIMITS.Integer) ?? -1)
  return columns - 5 > 0 ? columns - 5 : 75
}
