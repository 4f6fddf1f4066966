// What argparse4j 0.7.0 prints: the usage line with its breaks, the help, errors wrapped to the width of the terminal (with
// blanks put in until the lines end there), and names that may have been meant.

import { type Argument, type Command, destOf, isOption, optionsOf, type Parser, takesValue } from './argparse-program.ts'

/** With its line break. */
export function usageText(parser: Parser, width: number): string {
  const head = `usage: ${parser.prog}`
  const isLong = head.length > 30
  const indent = ' '.repeat(isLong ? 6 : head.length)
  let text = isLong ? `${head}\n${indent}` : head
  let column = indent.length + (isLong ? indent.length : 0)
  for (const [index, part] of usageParts(parser).entries()) {
    const isNext = index > 0 && column + part.length + 1 > width
    text += isNext ? `\n${indent} ${part}` : ` ${part}`
    column = (isNext ? indent.length : column) + 1 + part.length
  }
  return `${text}\n`
}

function usageParts(parser: Parser): string[] {
  const parts: string[] = []
  const { parent, name, program } = parser
  if (parent !== undefined) {
    parts.push(...alone(parent).filter(({ isRequired }) => isRequired).map(syntax))
    parts.push(...exclusive(parent, true), ...positionals(parent).map(metavars))
  }
  if (name !== undefined) parts.push(name)
  parts.push(...alone(parser).map(syntax), ...exclusive(parser, false), ...positionals(parser).map(metavars))
  if (parent === undefined && program.commands !== undefined) {
    parts.push(program.commandsMetavar ?? `{${Object.keys(program.commands).join(',')}}`, '...')
  }
  return parts
}

/** Options that exclude no other. */
function alone(command: Command): Argument[] {
  return optionsOf(command).filter(({ isHidden, group }) => isHidden !== true && (group === undefined || command.groups?.[group].isMutex !== true))
}

function positionals(command: Command): Argument[] {
  return command.arguments.filter((argument) => !isOption(argument))
}

/** `(-a A | -b B)` for each group, in words that lines may break between. */
function exclusive(command: Command, isRequiredOnly: boolean): string[] {
  return Object.entries(command.groups ?? {}).flatMap(([key, { isMutex, isRequired = false }]) => {
    const options = command.arguments.filter(({ group, isHidden }) => group === key && isHidden !== true)
    if (isMutex !== true || options.length === 0 || (isRequiredOnly && !isRequired)) return []
    if (options.length === 1) return [isRequired ? bare(options[0]) : syntax(options[0])]
    const [open, close] = isRequired ? ['(', ')'] : ['[', ']']
    const last = options.length - 1
    return options.flatMap((option, index) => {
      const text = `${index === 0 ? open : ''}${bare(option)}${index === last ? close : ''}`
      return index === 0 ? [text] : ['|', text]
    })
  })
}

function syntax(option: Argument): string {
  return option.isRequired === true ? bare(option) : `[${bare(option)}]`
}

function bare(option: Argument): string {
  return takesValue(option) ? `${option.flags[0]} ${metavars(option)}` : option.flags[0]
}

function metavars(argument: Argument): string {
  const name = metavar(argument)
  if (argument.nargs === '?') return `[${name}]`
  if (argument.nargs === '*') return `[${name} [${name} ...]]`
  return argument.nargs === '+' ? `${name} [${name} ...]` : name
}

function metavar(argument: Argument): string {
  if (argument.metavar !== undefined) return argument.metavar
  if (argument.choices !== undefined) return `{${argument.choices.join(',')}}`
  return isOption(argument) ? destOf(argument).toUpperCase() : destOf(argument)
}

export function helpText(parser: Parser, width: number): string {
  const { description, parent, program } = parser
  const commands = parent === undefined ? program.commands : undefined
  const isTitled = (argument: Argument): boolean => {
    const group = argument.group === undefined ? undefined : parser.groups?.[argument.group]
    return group !== undefined && (group.isMutex !== true || group.title !== undefined || group.description !== undefined)
  }
  const rows = (list: readonly Argument[]): string => list.filter(({ isHidden }) => isHidden !== true).map((each) => argumentHelp(each, program.hasDefaultsInHelp === true, width)).join('')
  const commandRows = (): string => {
    const names = Object.entries(commands ?? {}).map(([name, { help = '' }]) => row(`  ${name}`, help, width))
    return row(program.commandsMetavar ?? `{${Object.keys(commands ?? {}).join(',')}}`, '', width) + names.join('')
  }
  const untitled = parser.arguments.filter((argument) => !isTitled(argument))
  const sections: string[] = []
  if (description !== undefined) sections.push(`${wrapped(description, width)}\n`)
  const places = rows(untitled.filter((argument) => !isOption(argument))) + (commands !== undefined && program.commandsTitle === undefined ? commandRows() : '')
  if (places !== '') sections.push(`positional arguments:\n${places}`)
  sections.push(`optional arguments:\n${rows([optionsOf(parser)[0], ...untitled.filter(isOption)])}`)
  if (commands !== undefined && program.commandsTitle !== undefined) sections.push(`${program.commandsTitle}:\n${commandRows()}`)
  for (const [key, group] of Object.entries(parser.groups ?? {})) {
    const members = parser.arguments.filter((argument) => argument.group === key && isTitled(argument))
    if (members.length === 0) continue
    const title = group.title === undefined ? '' : `${group.title}:\n`
    const text = group.description === undefined ? '' : `  ${wrapped(group.description, width, 2)}\n\n`
    sections.push(title + text + rows(members))
  }
  return [usageText(parser, width), ...sections].join('\n')
}

function argumentHelp(argument: Argument, hasDefault: boolean, width: number): string {
  const values = takesValue(argument) && isOption(argument) ? ` ${metavars(argument)}` : ''
  const title = isOption(argument) ? argument.flags.map((flag) => flag + values).join(', ') : metavar(argument)
  const { default: fallback = argument.action === 'storeTrue' ? false : null } = argument
  const text = hasDefault && fallback !== null ? `${argument.help ?? ''} (default: ${String(fallback)})`.trim() : (argument.help ?? '')
  return row(title, text, width)
}

const HELP_COLUMN = 25

function row(title: string, text: string, width: number): string {
  if (text === '') return `  ${title}\n`
  const indent = ' '.repeat(HELP_COLUMN)
  const head = title.length <= 21 ? `  ${title}`.padEnd(HELP_COLUMN) : `  ${title}\n${indent}`
  return `${head}${wrapped(text, width, HELP_COLUMN, indent)}\n`
}

/** Lines of at most `width` columns, those that were broken filled up with blanks. `offset`: where the first begins. */
export function wrapped(text: string, width: number, offset = 0, indent = ''): string {
  let done = ''
  let line = ''
  let column = offset
  for (const piece of pieces(text)) {
    column += piece.length
    if (column > width) {
      done += `${justified(line, width, column - piece.length)}\n${indent}`
      line = ''
      column = indent.length + piece.length
    }
    line += piece
    if (!piece.endsWith('\n')) continue
    done += line + indent
    line = ''
    column = indent.length
  }
  return done + line
}

/** Blanks of a line spread until it is `width` wide; `column`: where it ends now, blanks at its ends included. */
function justified(line: string, width: number, column: number): string {
  const text = line.replace(/^ +| +$/g, '')
  const gaps = text.match(/ +/g)?.length ?? 0
  if (gaps === 0) return text
  const missing = width - (column - (line.length - text.length))
  const each = Math.trunc(missing / gaps)
  const rest = missing % gaps
  const from = Math.trunc((gaps - rest + 1) / 2)
  let gap = 0
  return text.replace(/ +/g, (blanks) => {
    const more = from <= gap && gap < from + rest ? 1 : 0
    gap++
    return ' '.repeat(Math.max(0, each + more)) + blanks
  })
}

// Where Java's BreakIterator.getLineInstance lets a line end (sun.text.resources.BreakIteratorRules): a piece is as long as
// its rules reach. Marks and ideographs are taken for letters.
const OPENING = '[\\p{Sc}\\p{Ps}\\p{Pi}"\']'
const CLOSING = '[\\p{Pe}\\p{Pf}"!%.,:;?]'
const SUFFIX = `(?:\\p{Pd}+|${CLOSING}*)`
const WORDS = [
  new RegExp(`(?:${OPENING}|\\p{Pd})*\\p{N}+(?:[.,]\\p{N}+)*${SUFFIX}`, 'uy'),
  new RegExp(`${OPENING}*[^\\s\\p{Pd}\\p{Sc}\\p{Ps}\\p{Pi}\\p{Pe}\\p{Pf}"'!%.,:;?]*${SUFFIX}`, 'uy'),
]
const BEHIND_WORD = new RegExp(`[ \\v]*(?:\\(\\)${CLOSING}*)?\\r?[\\t\\n\\f]?`, 'uy')

function* pieces(text: string): Generator<string> {
  let at = 0
  while (at < text.length) {
    let end = wordEnd(text, at)
    while (/[$']/.test(text.charAt(end))) end = wordEnd(text, end + 1)
    end = matchEnd(BEHIND_WORD, text, end)
    if (end === at) end++
    yield text.slice(at, end)
    at = end
  }
}

function wordEnd(text: string, at: number): number {
  return Math.max(...WORDS.map((word) => matchEnd(word, text, at)))
}

function matchEnd(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return at + (pattern.exec(text)?.[0].length ?? 0)
}

/** The nearest names, as a paragraph; '' when none is near. `names`: as shown, and as compared. */
export function didYouMean(word: string, names: readonly (readonly [string, string])[]): string {
  const ranked = names.map(([shown, name]) => ({ shown, cost: name.startsWith(word) ? 0 : editCost(word, name) }))
  const least = Math.min(...ranked.map(({ cost }) => cost))
  if (least >= 7) return ''
  const near = ranked.filter(({ cost }) => cost === least).map(({ shown }) => `\t${shown}\n`)
  return `\nDid you mean:\n${near.sort().join('')}`
}

/** From `a` to `b`: swapping neighbours 0, replacing 2, adding 1, deleting 4. */
function editCost(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      const isSwap = i >= 2 && j >= 2 && !isSame && a[i - 2] === b[j - 1] && a[i - 1] === b[j - 2]
      row.push(Math.min(last[j - 1] + (isSame ? 0 : 2), isSwap ? before[j - 2] : Infinity, last[j] + 4, row[j - 1] + 1))
    }
    before = last
    last = row
  }
  return last[b.length]
}
