// sasl.jaas.config, of a client and of a broker's listener: `LoginModuleClass controlFlag key="value" key=value … ;`, one entry, in the syntax of
// Java's configuration files, of which Kafka takes this much (JaasConfig.java): quotes of both kinds,
// backslash escapes.

import { SettingError } from './setting-error.ts'

const KEY = 'sasl.jaas.config'
const FLAGS = ['required', 'requisite', 'sufficient', 'optional']

export interface JaasEntry {
  readonly loginModule: string
  readonly options: ReadonlyMap<string, string>
}

/** Throws SettingError; its text never shows the value, which holds a password. */
export function parseJaasConfig(text: string): JaasEntry {
  const tokens = tokenize(text)
  if (tokens.length < 2 || tokens[0].quoted) {
    throw new SettingError(KEY, `${KEY} is not "LoginModule required key=value …;"`)
  }
  const [module, flag, ...rest] = tokens
  if (!FLAGS.includes(flag.text.toLowerCase())) {
    throw new SettingError(KEY, `${KEY}: "required" must follow ${module.text}`)
  }
  const options = new Map<string, string>()
  let at = 0
  while (at < rest.length && !isMark(rest[at], ';')) {
    const [name, equals, value] = [rest[at], rest.at(at + 1), rest.at(at + 2)]
    if (isMark(name, '=') || !isMark(equals, '=') || value === undefined || isMark(value, ';')) {
      throw new SettingError(
        KEY,
        `${KEY}: option ${at / 3 + 1} of ${module.text} is not key=value (special characters need quotes)`,
      )
    }
    options.set(name.text, value.text)
    at += 3
  }
  if (at === rest.length) throw new SettingError(KEY, `${KEY} must end with a semicolon`)
  if (at < rest.length - 1)
    throw new SettingError(KEY, `${KEY} must hold one login module, something follows its semicolon`)
  return { loginModule: module.text, options }
}

interface Token {
  readonly text: string
  readonly quoted: boolean
}

function isMark(token: Token | undefined, mark: string): boolean {
  return token !== undefined && !token.quoted && token.text === mark
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  const pattern = /\s+|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|([=;])|([^\s=;"']+)|(["'])/gsy
  for (const match of text.matchAll(pattern)) {
    const [, quoted, mark, word, stray] = match as (string | undefined)[]
    if (stray !== undefined) throw new SettingError(KEY, `${KEY}: a quote is not closed`)
    if (quoted !== undefined) tokens.push({ text: unescape(quoted.slice(1, -1)), quoted: true })
    const bare = mark ?? word
    if (bare !== undefined) tokens.push({ text: bare, quoted: false })
  }
  return tokens
}

/** As Java's StreamTokenizer: C's escapes, octal codes, and any other character for itself. */
function unescape(text: string): string {
  const named: Readonly<Record<string, string>> = {
    n: '\n',
    r: '\r',
    t: '\t',
    b: '\b',
    f: '\f',
    v: '\v',
    a: '\x07',
  }
  return text.replace(/\\([0-3]?[0-7]{1,2}|.)/gs, (_, code: string) =>
    /^[0-7]/.test(code) ? String.fromCharCode(parseInt(code, 8)) : (named[code] ?? code),
  )
}
