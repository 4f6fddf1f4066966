// From the words of a command line to one command: finds it in the table, answers for help and for words that are no
// command, and hands the rest to oclif. oclif gets a plugin made here instead of a directory to search, so that nothing is
// read from disk. Never oclif's execute(): it cuts off slow readers after 10 s.

import type { Command } from '@oclif/core/command'
import type { Plugin } from '@oclif/core/interfaces'
import { run } from '@oclif/core/run'
import { settings } from '@oclif/core/settings'
import { assert } from '../base/assert.ts'
import { version } from '../base/version.ts'
import type { CommandTable } from './command-table.ts'
import { failureOf, usageError } from './errors.ts'
import { didYouMean } from './nearest.ts'
import { askedFormat, Output } from './output.ts'

// With NODE_ENV=test or development oclif would look for TypeScript sources and complain on stderr.
settings.enableAutoTranspile = false

/** Runs one command line to its end and sets process.exitCode. Rejects only for defects. */
export async function runCli(argv: readonly string[], table: CommandTable): Promise<void> {
  try {
    const found = findCommand(argv, table)
    if (found.isHelp) {
      const { showHelp } = await import('./help.ts')
      await showHelp(found.words, table, new Output(process, askedFormat(argv)))
      return
    }
    const root = '/'
    await run([found.id, ...found.rest], { root, plugins: new Map([['ktool', tableAsPlugin(table, root)]]) })
  } catch (error) {
    const failure = failureOf(error)
    new Output(process, askedFormat(argv)).fail(failure)
    if (process.env.KTOOL_DEBUG) process.stderr.write(`${(error as Error).stack ?? ''}\n`)
    process.exitCode = failure.exitCode
  }
}

export type Found =
  | { readonly isHelp: false; readonly id: string; readonly rest: readonly string[] }
  | { readonly isHelp: true; readonly words: readonly string[] }

/** What a command line asks for. Throws a usage error, with the nearest command, for words that name none. */
export function findCommand(argv: readonly string[], table: CommandTable): Found {
  const firstFlag = argv.findIndex((word) => word.startsWith('-'))
  const words = firstFlag === -1 ? argv : argv.slice(0, firstFlag)
  const end = argv.indexOf('--')
  const asksHelp = (end === -1 ? argv : argv.slice(0, end)).some((word) => word === '--help' || word === '-h')
  if (words[0] === 'help') return { isHelp: true, words: known(words.slice(1), table) }
  if (words.length === 0 && firstFlag !== -1 && !asksHelp) {
    throw usageError(`the command comes first, before ${argv[0] ?? ''}`, 'see `ktool --help`')
  }
  const path = known(words, table)
  const id = path.join(':')
  if (asksHelp || path.length === 0) return { isHelp: true, words: path }
  if (!table.has(id)) {
    const next = [...table.keys()].filter((other) => other.startsWith(`${id}:`)).map((other) => other.slice(id.length + 1))
    throw usageError(`say what to do: ${next.join(', ')}`, `see \`ktool ${path.join(' ')} --help\``)
  }
  return { isHelp: false, id, rest: argv.slice(path.length) }
}

/** The leading words that name a command or a group of commands. */
function known(words: readonly string[], table: CommandTable): readonly string[] {
  const ids = [...table.keys()]
  const isGroup = (id: string): boolean => id === '' || ids.some((other) => other.startsWith(`${id}:`))
  let path: readonly string[] = []
  for (const word of words) {
    const id = [...path, word].join(':')
    if (!table.has(id) && !isGroup(id)) {
      if (path.length > 0 && table.has(path.join(':'))) return path // the rest is the command's business
      const siblings = ids.map((other) => other.split(':')).filter((other) => other.slice(0, path.length).join(':') === path.join(':'))
      if (word === 'version' && path.length === 0) throw usageError('there is no command `ktool version`', '`ktool --version` prints the version')
      const guess = didYouMean(word, [...new Set(siblings.map((other) => other[path.length] ?? ''))])
      const see = `see \`${['ktool', ...path, '--help'].join(' ')}\``
      throw usageError(`there is no command \`${['ktool', ...path, word].join(' ')}\``, guess ?? see)
    }
    path = [...path, word]
  }
  return path
}

function tableAsPlugin(table: CommandTable, root: string): Plugin {
  const ids = [...table.keys()]
  const find = (id: string): Promise<Command.Class> => {
    const entry = table.get(id)
    assert(entry !== undefined, `no command ${id}`)
    entry.command.id = id
    return Promise.resolve(entry.command)
  }
  return {
    _base: '',
    alias: 'ktool',
    name: 'ktool',
    version,
    root,
    type: 'core',
    moduleType: 'module',
    isRoot: true,
    valid: true,
    hasManifest: false,
    hooks: {},
    topics: [],
    commandsDir: undefined,
    options: { root },
    pjson: { name: 'ktool', version, oclif: { bin: 'ktool' } },
    commandIDs: ids,
    commands: ids.map((id) => {
      const loadable = { id, aliases: [], hiddenAliases: [], args: {}, flags: {}, hidden: false, load: () => find(id) }
      return loadable
    }),
    findCommand: find,
    load: () => Promise.resolve(),
  }
}
