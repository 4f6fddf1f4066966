// What could come next on a command line: commands, actions, flags, and names that the broker on this machine knows. Shells ask
// at each TAB, so nothing is dialled but that broker's control socket, and its answer is waited for 50 ms at most.

import type { NamesRequest } from '../base/control-messages.ts'
import { controlSocketName } from '../base/control-messages.ts'
import { askDaemon } from './control.ts'
import { currentContext, listContexts } from './contexts.ts'
import { realDirectory } from './local-broker.ts'
import { localPaths } from './paths.ts'
import type { CommandTable } from './command-table.ts'
import type { WordFlag, WordRules } from './words.ts'
import { join } from 'node:path'

/** What completion asks the world; tests put their own in. */
export interface Names {
  readonly topics: (beginning: string) => Promise<readonly string[]>
  readonly groups: (beginning: string) => Promise<readonly string[]>
  readonly contexts: () => Promise<readonly string[]>
}

interface CompletedFlag extends WordFlag {
  readonly hidden?: boolean | undefined
  readonly options?: readonly string[] | undefined
  readonly helpValue?: string | readonly string[] | undefined
}

interface Completed {
  readonly flags?: Readonly<Record<string, CompletedFlag>>
  readonly baseFlags?: Readonly<Record<string, CompletedFlag>>
  readonly words?: WordRules
}

/** `words`: those behind `ktool`, the last of which is being typed, perhaps ''. What fits it; nothing where a file name may stand. */
export async function completions(words: readonly string[], table: CommandTable, names: Names): Promise<string[]> {
  const typed = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const isHelp = before[0] === 'help'
  const { path, isCommand } = findPath(isHelp ? before.slice(1) : before, table)
  const fitting = (candidates: readonly string[]): string[] => [...new Set(candidates)].filter((word) => word.startsWith(typed) && TAKEN_LITERALLY.test(word)).sort()
  if (isHelp) return isCommand ? [] : fitting(nextWords(path, table).filter((word) => word !== 'help'))
  if (!isCommand) return fitting(nextWords(path, table))
  const command = table.get(path.join(':'))?.command as Completed
  const flags = { ...command.baseFlags, ...command.flags }
  const given = before.slice(path.length)
  const pending = takesValue(given.at(-1), flags)
  if (pending !== undefined) return fitting(await valuesOf(pending, flags[pending], typed, names))
  if (typed.startsWith('-')) {
    // There is one action; once it is given the others are in the way.
    const { actions = [] } = command.words ?? {}
    const isDone = actions.some((action) => isGiven(action, given))
    const offered = Object.entries(flags).filter(([name, { hidden }]) => hidden !== true && !(isDone && actions.includes(name)))
    return fitting(offered.map(([name]) => `--${name}`))
  }
  return fitting(await bareWords(command.words, given, flags, typed, names))
}

/** Names from the broker on this machine, unless something names another cluster. */
export function localNames(words: readonly string[], env: NodeJS.ProcessEnv): Names {
  const paths = localPaths(env)
  const byEnvironment = Boolean(env.KTOOL_BOOTSTRAP_SERVERS || env.KTOOL_COMMAND_CONFIG)
  const isElsewhere = byEnvironment || words.some((word) => /^(-b|--(bootstrap-server|command-config|context))(=|$)/.test(word))
  const ask = async (of: NamesRequest['of'], beginning: string): Promise<readonly string[]> => {
    if (isElsewhere || (await currentContext(paths.configDirectory)) !== undefined) return []
    const socket = join(paths.runtimeDirectory, controlSocketName(await realDirectory(paths.dataDirectory)))
    const reply = await askDaemon(socket, { command: 'names', of, beginning }, PATIENCE_MS).catch(() => undefined)
    return reply?.ok === true ? reply.names : []
  }
  return {
    topics: (beginning) => ask('topics', beginning),
    groups: (beginning) => ask('groups', beginning),
    contexts: async () => (await listContexts(paths.configDirectory)).map(({ name }) => name),
  }
}

const PATIENCE_MS = 50
// A group may be called `x;reboot` or `*`, and shells put into the line what they are given.
const TAKEN_LITERALLY = /^[\p{L}\p{N}_.:@%+,=/-]+$/u

function findPath(words: readonly string[], table: CommandTable): { path: string[]; isCommand: boolean } {
  const path: string[] = []
  for (const word of words) {
    if (table.has(path.join(':')) || !nextWords(path, table).includes(word)) break
    path.push(word)
  }
  return { path, isCommand: table.has(path.join(':')) }
}

/** Of commands and groups of them. */
function nextWords(path: readonly string[], table: CommandTable): string[] {
  const ids = [...table.keys()].map((id) => id.split(':')).filter((id) => path.every((word, at) => id[at] === word))
  const words = ids.flatMap((id) => id.slice(path.length, path.length + 1))
  return path.length === 0 ? [...words, 'help'] : words
}

/** The flag whose value comes behind `word`. */
function takesValue(word: string | undefined, flags: Readonly<Record<string, CompletedFlag>>): string | undefined {
  if (word === undefined || !word.startsWith('-') || word.includes('=')) return undefined
  const found = Object.entries(flags).find(([name, { char, aliases = [], charAliases = [] }]) => {
    return word.startsWith('--') ? [name, ...aliases].includes(word.slice(2)) : [char, ...charAliases].includes(word.slice(1))
  })
  return found?.[1].type === 'option' ? found[0] : undefined
}

async function valuesOf(name: string, flag: CompletedFlag, typed: string, names: Names): Promise<readonly string[]> {
  if (flag.options !== undefined) return flag.options
  // As the help shows what there is to choose from: all|1|0.
  const choice = typeof flag.helpValue === 'string' && /^[a-z0-9]+(\|[a-z0-9]+)+$/.test(flag.helpValue) ? flag.helpValue : undefined
  if (choice !== undefined) return choice.split('|')
  if (name === 'topic') return names.topics(typed)
  if (name === 'group') return names.groups(typed)
  return name === 'context' || name === 'name' ? names.contexts() : []
}

async function bareWords(
  rules: WordRules | undefined,
  given: readonly string[],
  flags: Readonly<Record<string, CompletedFlag>>,
  typed: string,
  names: Names,
): Promise<readonly string[]> {
  const { actions = [], argument } = rules ?? {}
  const said = (name: string): boolean => isGiven(name, given)
  if (actions.length > 0 && !actions.some(said)) return actions
  const flag = typeof argument === 'function' ? argument(said) : argument
  return flag === undefined ? [] : valuesOf(flag, flags[flag], typed, names)
}

function isGiven(name: string, given: readonly string[]): boolean {
  return given.includes(`--${name}`) || given.includes(name)
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const

/** What a shell reads to complete `ktool`. */
export function completionScript(shell: (typeof SHELLS)[number]): string {
  return SCRIPTS[shell]
}

// The backend gets the words up to the cursor; where it has nothing to say, the shell completes file names.
const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], string>> = {
  bash: `_ktool() {
  local IFS=$'\\n'
  COMPREPLY=($(ktool __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o bashdefault -o default -F _ktool ktool
`,
  zsh: `#compdef ktool
_ktool() {
  local -a found
  found=("\${(@f)$(ktool __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found" ]]; then compadd -- $found; else _files; fi
}
if [[ "$funcstack[1]" = _ktool ]]; then _ktool "$@"; else compdef _ktool ktool; fi
`,
  fish: `function __ktool_complete
  set -l words (commandline -opc) (commandline -ct)
  ktool __complete $words[2..-1] 2>/dev/null
end
complete -c ktool -a '(__ktool_complete)'
`,
}
