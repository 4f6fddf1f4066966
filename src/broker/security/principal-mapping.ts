// ssl.principal.mapping.rules: from a certificate's subject to a user's name. The first rule that fits the whole subject
// counts: DEFAULT takes it as it is, RULE:PATTERN/REPLACEMENT/ with L or U behind it rewrites it (KIP-371).

import { SettingError } from '../../protocol/setting-error.ts'

/** undefined when no rule fits. */
export type PrincipalMapping = (subject: string) => string | undefined

const KEY = 'ssl.principal.mapping.rules'
const PIECE = String.raw`(?:\\.|[^\\/])*` // a slash inside is escaped
const RULE = new RegExp(String.raw`\s*(?:(DEFAULT)|RULE:(${PIECE})/(${PIECE})/([LU]?))\s*(?:,|$)`, 'y')

/** Throws SettingError. */
export function principalMapping(text: string): PrincipalMapping {
  const rules: PrincipalMapping[] = []
  RULE.lastIndex = 0
  const rest = text.trim() === '' ? 'DEFAULT' : text.trim()
  for (let at = 0; at < rest.length; at = RULE.lastIndex) {
    RULE.lastIndex = at
    const found = RULE.exec(rest) as readonly (string | undefined)[] | null
    if (found === null) throw new SettingError(KEY, `${KEY}: '${rest.slice(at)}' is neither DEFAULT nor RULE:PATTERN/REPLACEMENT/[LU]`)
    const [, isDefault, pattern = '', replacement = '', change = ''] = found
    rules.push(isDefault === undefined ? rewriting(pattern, replacement, change) : (subject) => subject)
  }
  return (subject) => {
    for (const rule of rules) {
      const name = rule(subject)
      if (name !== undefined) return name
    }
    return undefined
  }
}

function rewriting(pattern: string, replacement: string, change: string): PrincipalMapping {
  let whole: RegExp
  let parts: RegExp
  try {
    whole = new RegExp(`^(?:${pattern})$`)
    parts = new RegExp(pattern, 'g')
  } catch (error) {
    throw new SettingError(KEY, `${KEY}: '${pattern}' is no pattern`, { cause: error })
  }
  return (subject) => {
    if (!whole.test(subject)) return undefined
    const name = subject.replace(parts, (...match: (string | undefined)[]) => filled(replacement, match))
    if (change === 'L') return name.toLowerCase()
    return change === 'U' ? name.toUpperCase() : name
  }
}

/** `$1` is the first group; without such a group it is what it says, and a backslash makes anything so. */
function filled(replacement: string, match: readonly unknown[]): string {
  const groups = match.findIndex((part) => typeof part === 'number') // behind them comes the offset
  return replacement.replace(/\\(.)|\$(\d)/g, (all, literal: string | undefined, digit: string | undefined) => {
    if (literal !== undefined) return literal
    const group = Number(digit)
    if (group >= groups) return all
    const text = match[group]
    return typeof text === 'string' ? text : ''
  })
}
