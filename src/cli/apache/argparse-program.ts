// What a tool with argparse4j says of its options: the program, its subcommands and the arguments of both.

/** An option, or what stands without one. */
export interface Argument {
  /** `['--id', '-i']`, or one word without dashes: what stands there by its place. */
  readonly flags: readonly string[]
  /** Where its value is found; the first long flag's words with underscores when left out. */
  readonly dest?: string
  readonly type?: 'String' | 'Integer' | 'Long' | 'Short' | 'Float' | 'Double'
  /** store when left out. version: prints Kafka's and ends. */
  readonly action?: 'store' | 'append' | 'storeTrue' | 'version' | 'help'
  /** How many values: none said is one. */
  readonly nargs?: '?' | '*' | '+'
  readonly choices?: readonly string[]
  readonly metavar?: string
  readonly default?: Value
  readonly isRequired?: boolean
  /** The group it belongs to. */
  readonly group?: string
  readonly help?: string
  /** An old spelling: accepted, and in neither usage nor help. */
  readonly isHidden?: boolean
}

export interface Group {
  readonly title?: string
  readonly description?: string
  /** Only one of its options may be given. */
  readonly isMutex?: boolean
  /** One of its options must be given. */
  readonly isRequired?: boolean
}

export interface Command {
  readonly arguments: readonly Argument[]
  readonly groups?: Readonly<Record<string, Group>>
  readonly description?: string
  readonly help?: string
}

export interface Program extends Command {
  readonly prog: string
  readonly commands?: Readonly<Record<string, Command>>
  /** Of the commands, in the help. */
  readonly commandsTitle?: string
  readonly commandsMetavar?: string
  /** A word that begins with it names a file whose lines are words. */
  readonly fromFilePrefix?: string
  /** Whether the help tells the defaults. */
  readonly hasDefaultsInHelp?: boolean
}

/** Long: bigint. Other numbers: number. */
export type Value = string | number | bigint | boolean | null | readonly Value[]

/** A program or one of its commands. */
export interface Parser extends Command {
  readonly prog: string
  /** Of the command. */
  readonly name?: string
  readonly parent?: Program
  readonly program: Program
}

const HELP: Argument = { flags: ['-h', '--help'], action: 'help', help: 'Print this help and end.' }

/** All arguments with dashes, --help first, as the library adds it. */
export function optionsOf(command: Command): readonly Argument[] {
  return [HELP, ...command.arguments.filter(isOption)]
}

export function isOption({ flags }: Argument): boolean {
  return flags[0].startsWith('-')
}

export function takesValue({ action = 'store' }: Argument): boolean {
  return action === 'store' || action === 'append'
}

export function destOf({ dest, flags }: Argument): string {
  return dest ?? (flags.find((flag) => flag.startsWith('--')) ?? flags[0]).replace(/^-+/, '').replaceAll('-', '_')
}
