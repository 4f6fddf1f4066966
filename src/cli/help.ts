// Help, from the commands' own definitions: the list of commands, and one command's page. The manual pages are made from
// the same facts (build/man.ts). Short lines, no colours to speak of, data on stdout.

import type { Command } from '@oclif/core/command'
import type { CommandEntry, CommandTable } from './command-table.ts'
import type { Output, Paint } from './output.ts'

export interface FlagHelp {
  readonly name: string
  /** `-b, --bootstrap-server=HOST:PORT,…` */
  readonly usage: string
  readonly summary: string
}

export interface CommandHelp {
  readonly id: string
  readonly summary: string
  readonly description: string
  readonly usage: readonly string[]
  /** By heading, in order. */
  readonly groups: readonly { readonly heading: string; readonly flags: readonly FlagHelp[] }[]
  readonly examples: readonly { readonly description: string; readonly command: string }[]
  /** The exit codes it can end with, as the manual page of ktool lists them. */
  readonly exits: readonly string[]
}

// The command's own come first, under the heading Options.
const GROUPS: Readonly<Record<string, string>> = { '': 'Options', resource: 'Resource', target: 'Target', connection: 'Connection', output: 'Output' }
const WIDTH = 100

export async function showHelp(words: readonly string[], table: CommandTable, output: Output): Promise<void> {
  const paint = await output.paint()
  const id = words.join(':')
  const entry = table.get(id)
  const text = entry === undefined ? groupHelp(id, table, paint) : commandText(commandHelp(id, entry), paint)
  await output.write(text)
}

/** A command's help as data. */
export function commandHelp(id: string, { summary, command }: CommandEntry): CommandHelp {
  const flags = Object.entries({ ...command.flags, ...command.baseFlags }).filter(([, flag]) => !flag.hidden)
  const examples = (command.examples as Command.Example[] | undefined) ?? [] // its type says always, its value not
  const headings = [...new Set(flags.map(([, { helpGroup }]) => helpGroup ?? ''))]
  const order = Object.keys(GROUPS)
  headings.sort((a, b) => order.indexOf(a) - order.indexOf(b))
  return {
    id,
    summary,
    description: command.description ?? '',
    usage: typeof command.usage === 'string' ? [command.usage] : (command.usage ?? [id.replaceAll(':', ' ')]),
    groups: headings.map((group) => ({
      heading: GROUPS[group],
      flags: flags.filter(([, flag]) => (flag.helpGroup ?? '') === group).map(([name, flag]) => flagHelp(name, flag)),
    })),
    examples: examples.flatMap((example) => (typeof example === 'string' ? [] : [example])),
    exits: (command as { readonly exits?: readonly string[] }).exits ?? [],
  }
}

type Flag = NonNullable<Command.Class['flags']>[string]

function flagHelp(name: string, flag: Flag): FlagHelp {
  const value = flag.type === 'option' ? `=${flag.helpValue?.toString() ?? 'VALUE'}` : ''
  const short = flag.char === undefined ? '    ' : `-${flag.char}, `
  const repeat = flag.type === 'option' && flag.multiple ? ' Repeatable.' : ''
  return { name, usage: `${short}--${name}${value}`, summary: `${flag.summary ?? flag.description ?? ''}${repeat}` }
}

function groupHelp(group: string, table: CommandTable, paint: Paint): string {
  const prefix = group === '' ? '' : `${group}:`
  const entries = [...table].filter(([id]) => id.startsWith(prefix))
  const usage = `  ktool ${group === '' ? '' : `${group} `}COMMAND [OPTIONS]\n`
  const rows = entries.map(([id, { summary }]) => [id.replaceAll(':', ' '), summary] as const)
  const intro = group === '' ? 'A Kafka command line without a JVM, and a Kafka without a cluster.\n\n' : ''
  const list = `${paint.heading('Commands')}\n${twoColumns(rows)}`
  return `${intro}${paint.heading('Usage')}\n${usage}\n${list}${group === '' ? firstSteps(paint) : ''}`
}

function firstSteps(paint: Paint): string {
  return `
${paint.heading('First steps')}
  ktool topics create orders --partitions 3     (starts the bundled broker if none runs)
  printf 'one\\ntwo\\n' | ktool produce orders
  ktool consume orders --from-beginning --max-messages 2
  ktool broker stop

\`ktool help COMMAND\` or \`ktool COMMAND --help\` tells more about one. Any Apache Kafka cluster will do:
--bootstrap-server HOST:PORT, or KTOOL_BOOTSTRAP_SERVERS. \`ktool --version\` prints the version.
Exit: 0 done, 1 failed, 2 usage or configuration, 3 unreachable, no login or no broker, 4 not met in time.
`
}

function commandText(help: CommandHelp, paint: Paint): string {
  const parts = [`${help.summary}\n`]
  if (help.description !== '') parts.push(`${wrap(help.description, WIDTH).join('\n')}\n`)
  parts.push(`${paint.heading('Usage')}\n${help.usage.map((line) => `  ktool ${line}\n`).join('')}`)
  for (const { heading, flags } of help.groups) {
    parts.push(`${paint.heading(heading)}\n${twoColumns(flags.map(({ usage, summary }) => [usage, summary] as const))}`)
  }
  if (help.examples.length > 0) {
    const lines = help.examples.map(({ description, command }) => `  ${paint.faint(`# ${description}`)}\n  ${command}\n`)
    parts.push(`${paint.heading('Examples')}\n${lines.join('')}`)
  }
  return parts.join('\n')
}

function twoColumns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.min(38, Math.max(0, ...rows.map(([left]) => left.length)))
  return rows
    .map(([left, right]) => {
      const lines = wrap(right, WIDTH - width - 4)
      const first = left.length > width ? `  ${left}\n${' '.repeat(width + 4)}` : `  ${left.padEnd(width)}  `
      return `${(first + lines.join(`\n${' '.repeat(width + 4)}`)).trimEnd()}\n`
    })
    .join('')
}

/** Lines of at most `width` characters, broken at blanks; paragraphs stay apart. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = ['']
    for (const word of paragraph.split(' ')) {
      const line = lines.at(-1) ?? ''
      if (line === '') lines[lines.length - 1] = word
      else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`
      else lines.push(word)
    }
    return lines
  })
}
