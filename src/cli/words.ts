// Words without a dash, as a person types them (`ktool topics create orders -p 3`), into the flags that they stand for
// (`--create --topic=orders -p 3`), before oclif sees them. Each command declares what its words may be; both forms mean
// the same, and a word that nobody expects stays, for oclif to complain about.

import { usageError } from './errors.ts'
import { didYouMean } from './nearest.ts'

/** What the bare words of a command are. */
export interface WordRules {
  /** Flags without a value, one of which the first bare word names, unless one was said with its dashes. */
  readonly actions?: readonly string[]
  /** The flag whose value every other bare word is, as far as it takes one; where it differs, by what else was said. */
  readonly argument?: string | ((isSaid: (flag: string) => boolean) => string | undefined)
  /** What to do instead of giving a second value to an argument that takes one. */
  readonly surplus?: (value: string, word: string) => string
}

/** As much of oclif's flags as is needed to tell a flag's value from a bare word. */
export interface WordFlag {
  readonly type: string
  readonly char?: string | undefined
  readonly aliases?: readonly string[] | undefined
  readonly charAliases?: readonly string[] | undefined
  readonly allowNo?: boolean | undefined
  readonly multiple?: boolean | undefined
}

export type WordFlags = Readonly<Record<string, WordFlag>>

/**
 * `command` as it is typed: `topics`. Usage error, with the nearest, for a first word that is no action, for a second value
 * where one goes, and for a value behind a flag that takes none.
 */
export function withDashes(command: string, argv: readonly string[], rules: WordRules, flags: WordFlags): string[] {
  const { bare, said, places, end, isStrange } = scan(argv, flags)
  // oclif names the flag that isn't there; whether the next word belongs to it nobody knows.
  if (isStrange || bare.size === 0) return [...argv]
  const { actions = [], argument, surplus } = rules
  const first = bare.keys().next().value ?? -1
  const action = actions.find((each) => said.has(each))
  // `create --list` says two actions, `--describe list` one and a name.
  const isSecond = action !== undefined && actions.includes(argv[first] ?? '') && first < (places.get(action) ?? 0)
  const needsAction = actions.length > 0 && (action === undefined || isSecond)
  if (needsAction) {
    const word = argv[first] ?? ''
    if (!actions.includes(word)) {
      const hint = didYouMean(word, actions) ?? `say what to do: ${actions.join(', ')}`
      throw usageError(`'${word}' is nothing that \`ktool ${command}\` does`, hint)
    }
    said.add(word)
  }
  const flag = typeof argument === 'function' ? argument((name) => said.has(name)) : argument
  const values = [...bare].filter((place) => !(needsAction && place === first)).map((place) => argv[place])
  if (flag !== undefined && flags[flag].multiple !== true && values.length > (said.has(flag) ? 0 : 1)) {
    const word = values.at(-1) ?? ''
    throw usageError(`'${word}' is one word too many, there is one --${flag}`, surplus?.(said.has(flag) ? flag.toUpperCase() : values[0], word))
  }
  const words = argv.flatMap((word, index) => {
    if (needsAction && index === first) return [`--${word}`]
    if (bare.has(index) && flag !== undefined) return [`--${flag}=${word}`]
    return [word]
  })
  // What stood behind `--` has its flag now.
  return flag === undefined ? words : words.filter((_, index) => index !== end)
}

/** The places of the bare words, of `--` and of the flags that are said, and whether one of them is none of the command's. */
function scan(argv: readonly string[], flags: WordFlags) {
  const find = finder(flags)
  const bare = new Set<number>()
  const places = new Map<string, number>()
  let [end, isStrange] = [-1, false]
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]
    if (word === '--') {
      end = i
      for (let rest = i + 1; rest < argv.length; rest++) bare.add(rest)
      break
    }
    if (word === '-' || !word.startsWith('-')) {
      bare.add(i)
      continue
    }
    // `-vq` is two flags, `-p3` and `-p=3` are one with its value.
    const names = word.startsWith('--') ? [word.slice(2).replace(/=.*$/s, '')] : Array.from(word.slice(1))
    const isJoined = word.startsWith('--') && word.includes('=')
    for (const [at, name] of names.entries()) {
      const found = find(name, word.startsWith('--'))
      if (found === undefined) {
        isStrange = true
        break
      }
      places.set(found.name, i)
      if (!found.takesValue && isJoined) throw usageError(`--${name} takes no value`, `leave out '${word.slice(name.length + 2)}'`)
      if (!found.takesValue) continue
      if (!isJoined && at === names.length - 1) i++
      break
    }
  }
  return { bare, said: new Set(places.keys()), places, end, isStrange }
}

function finder(flags: WordFlags) {
  const byName = new Map<string, { name: string; takesValue: boolean }>()
  for (const [name, flag] of Object.entries(flags)) {
    const found = { name, takesValue: flag.type === 'option' }
    for (const long of [name, ...(flag.aliases ?? []), ...(flag.allowNo ? [`no-${name}`] : [])]) byName.set(`--${long}`, found)
    for (const char of [flag.char, ...(flag.charAliases ?? [])]) if (char !== undefined) byName.set(`-${char}`, found)
  }
  return (name: string, isLong: boolean) => byName.get(`${isLong ? '--' : '-'}${name}`)
}
