// Java's regular expressions: checked in the order in which Pattern.compile of JDK 17 does, with its complaints and their
// places, and put into JavaScript's. Not the same are possessive quantifiers and (?>…), which go back here like others, and
// flags behind the beginning, which have no effect.

import { wholeMatcher } from '../whole-match.ts'
import { JavaError } from './java-errors.ts'

/** What RE2 takes as well, and for something else: brackets in brackets, and \v. */
const OTHERWISE_IN_RE2 = /\[[^\]]*(\[|&&)|\\v/

/** Whether it matches a whole text that somebody else chose. Throws as `javaPattern`. */
export function javaMatcher(pattern: string): (text: string) => boolean {
  const regex = javaPattern(pattern)
  return OTHERWISE_IN_RE2.test(pattern) ? (text) => regex.test(text) : wholeMatcher(pattern, regex)
}

/** Matches a whole text, as String.matches does. Throws the JavaError of a PatternSyntaxException. */
export function javaPattern(pattern: string): RegExp {
  const { source, flags } = new Translation(pattern).all()
  return new RegExp(`^(?:${source})$`, flags)
}

/** Finds all that it matches anywhere in a text. Throws as `javaPattern`. */
export function javaFinder(pattern: string): RegExp {
  const { source, flags } = new Translation(pattern).all()
  return new RegExp(source, `${flags}g`)
}

const MOST_REPETITIONS = 2 ** 31 - 1

const CLASSES: Readonly<Record<string, string>> = {
  d: '\\d', D: '\\D', w: '\\w', W: '\\W', s: '[ \\t-\\r]', S: '[^ \\t-\\r]', v: '[\\n-\\r\\x85\\u2028\\u2029]', V: '[^\\n-\\r\\x85\\u2028\\u2029]',
  h: '[ \\t\\xA0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000]', H: '[^ \\t\\xA0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000]',
} // prettier-ignore
const ASSERTIONS: Readonly<Record<string, string>> = {
  A: '(?<![\\s\\S])', G: '(?<![\\s\\S])', z: '(?![\\s\\S])', Z: '(?=\\n?(?![\\s\\S]))', b: '\\b', B: '\\B',
  R: '(?:\\r\\n|[\\n-\\r\\x85\\u2028\\u2029])', X: '(?:\\P{M}\\p{M}*)',
} // prettier-ignore
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, r: 13, f: 12, a: 7, e: 27 }
const POSIX: Readonly<Record<string, string>> = {
  Lower: 'a-z', Upper: 'A-Z', ASCII: '\\x00-\\x7F', Alpha: 'a-zA-Z', Digit: '0-9', Alnum: 'a-zA-Z0-9', Punct: '!-\\/:-@\\[-`\\{-~',
  Graph: '!-~', Print: ' -~', Blank: ' \\t', Cntrl: '\\x00-\\x1F\\x7F', XDigit: '0-9a-fA-F', Space: ' \\t-\\r',
  javaLowerCase: '\\p{Ll}', javaUpperCase: '\\p{Lu}', javaWhitespace: '\\s', javaLetter: '\\p{L}', javaDigit: '\\p{Nd}',
} // prettier-ignore

/** One character, by its number, or a set of them. */
type Item = { readonly code: number } | { readonly set: string }

class Translation {
  readonly #pattern: string
  #at = 0
  #groups = 0
  readonly #names = new Set<string>()

  constructor(pattern: string) {
    this.#pattern = pattern
  }

  all(): { source: string; flags: string } {
    const leading = /^\(\?([a-zA-Z]+)\)/.exec(this.#pattern)?.[1] ?? ''
    const source = this.#alternatives()
    if (this.#at < this.#pattern.length) throw this.#wrong("Unmatched closing ')'", this.#at - 1)
    return { source, flags: `v${['i', 'm', 's'].filter((flag) => leading.includes(flag)).join('')}` }
  }

  #peek(): string {
    return this.#pattern.charAt(this.#at)
  }

  #takes(text: string): boolean {
    if (!this.#pattern.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  #wrong(what: string, at: number): JavaError {
    const near = at < 0 ? '' : ` near index ${at}`
    const pointer = at >= 0 && at < this.#pattern.length ? `\n${' '.repeat(at)}^` : ''
    return new JavaError('java.util.regex.PatternSyntaxException', `${what}${near}\n${this.#pattern}${pointer}`)
  }

  #alternatives(): string {
    let source = ''
    while (this.#at < this.#pattern.length && this.#peek() !== ')') {
      const letter = this.#peek()
      if (letter === '|') {
        this.#at++
        source += '|'
        continue
      }
      // What could be repeated has taken its own.
      if ('*+?'.includes(letter)) throw this.#wrong(`Dangling meta character '${letter}'`, this.#at)
      const atom = letter === '{' ? '(?:)' : this.#atom()
      // Flags are nothing that can be repeated.
      if (atom !== undefined) source += this.#repeated(atom)
    }
    return source
  }

  #atom(): string | undefined {
    const letter = String.fromCodePoint(this.#pattern.codePointAt(this.#at) ?? 0)
    this.#at += letter.length
    if (letter === '(') return this.#group()
    if (letter === '[') return this.#class()
    if (letter === '\\') return this.#escape()
    if (letter === '^' || letter === '$') return `(?:${letter})`
    return letter === '.' ? letter : literal(letter.codePointAt(0) ?? 0)
  }

  /** Behind the parenthesis. */
  #group(): string | undefined {
    let open = '('
    if (!this.#takes('?')) this.#groups++
    else {
      const kind = ['<=', '<!', ':', '=', '!', '>'].find((one) => this.#takes(one))
      if (kind !== undefined) open = `(?${kind === '>' ? ':' : kind}`
      else if (this.#takes('<')) {
        this.#groups++
        open = `(?<${this.#newName()}>`
      } else {
        while (/[idmsuxU-]/.test(this.#peek())) this.#at++
        if (this.#takes(')')) return undefined
        if (!this.#takes(':')) throw this.#wrong('Unknown inline modifier', this.#at)
        open = '(?:'
      }
    }
    const source = this.#alternatives()
    if (!this.#takes(')')) throw this.#wrong('Unclosed group', this.#pattern.length)
    // Only what is in brackets of its own can be repeated: (?=…) can't.
    return `(?:${open}${source}))`
  }

  #newName(): string {
    const name = this.#name()
    if (this.#names.has(name)) throw this.#wrong(`Named capturing group <${name}> is already defined`, this.#at - 1)
    this.#names.add(name)
    return name
  }

  #name(): string {
    const name = /^[a-zA-Z][a-zA-Z0-9]*/.exec(this.#pattern.slice(this.#at))?.[0]
    if (name === undefined) throw this.#wrong('capturing group name does not start with a Latin letter', this.#at)
    this.#at += name.length
    if (!this.#takes('>')) throw this.#wrong("named capturing group is missing trailing '>'", this.#at)
    return name
  }

  #repeated(atom: string): string {
    const sign = this.#peek()
    if (sign === '' || !'*+?{'.includes(sign)) return atom
    this.#at++
    const count = sign === '{' ? this.#counts() : sign
    if (this.#takes('+')) return `${atom}${count}`
    return `${atom}${count}${this.#takes('?') ? '?' : ''}`
  }

  /** Behind the brace. */
  #counts(): string {
    if (!/\d/.test(this.#peek())) throw this.#wrong('Illegal repetition', this.#at)
    const least = this.#count()
    if (this.#takes('}')) return `{${least}}`
    if (!this.#takes(',')) throw this.#wrong('Unclosed counted closure', this.#at)
    if (this.#takes('}')) return `{${least},}`
    const most = /\d/.test(this.#peek()) ? this.#count() : 0
    if (this.#peek() !== '}') throw this.#wrong('Unclosed counted closure', this.#at)
    if (most < least) throw this.#wrong('Illegal repetition range', this.#at)
    this.#at++
    return `{${least},${most}}`
  }

  #count(): number {
    let count = 0
    for (; /\d/.test(this.#peek()); this.#at++) {
      count = count * 10 + Number(this.#peek())
      if (count > MOST_REPETITIONS) throw this.#wrong('Illegal repetition range', this.#at)
    }
    return count
  }

  /** Behind the backslash, outside of brackets. */
  #escape(): string {
    const letter = this.#peek()
    if (letter === '') throw this.#wrong('Unexpected internal error', this.#pattern.length)
    if (letter === 'Q') return this.#quoted().map(literal).join('') || '(?:)'
    if (letter in ASSERTIONS) {
      this.#at++
      return `(?:${ASSERTIONS[letter]})`
    }
    if (/[1-9]/.test(letter)) {
      this.#at++
      return Number(letter) <= this.#groups ? `\\${letter}` : '(?!)'
    }
    if (letter === 'k') {
      this.#at++
      if (!this.#takes('<')) throw this.#wrong("\\k is not followed by '<' for named capturing group", this.#at)
      const name = this.#name()
      if (!this.#names.has(name)) throw this.#wrong(`named capturing group <${name}> does not exist`, this.#at - 1)
      return `\\k<${name}>`
    }
    const item = this.#escaped()
    return 'code' in item ? literal(item.code) : item.set
  }

  /** From the Q on. */
  #quoted(): number[] {
    const end = this.#pattern.indexOf('\\E', this.#at)
    const text = this.#pattern.slice(this.#at + 1, end < 0 ? undefined : end)
    this.#at = end < 0 ? this.#pattern.length : end + 2
    return Array.from(text, (letter) => letter.codePointAt(0) ?? 0)
  }

  /** What may stand in brackets as well. */
  #escaped(): Item {
    const letter = String.fromCodePoint(this.#pattern.codePointAt(this.#at) ?? 0)
    this.#at += letter.length
    if (letter in CLASSES) return { set: CLASSES[letter] }
    if (letter in CONTROLS) return { code: CONTROLS[letter] }
    if (letter === 'p' || letter === 'P') return { set: this.#property(letter) }
    if (letter === 'x' && this.#takes('{')) return { code: this.#longHex() }
    if (letter === 'x') return { code: this.#digits(/[\da-fA-F]/, 2, 16, 'Illegal hexadecimal escape sequence') }
    if (letter === 'u') return { code: this.#digits(/[\da-fA-F]/, 4, 16, 'Illegal Unicode escape sequence') }
    if (letter === '0') {
      const most = /[0-3]/.test(this.#peek()) ? 3 : 2
      const length = /^[0-7]*/.exec(this.#pattern.slice(this.#at, this.#at + most))?.[0].length ?? 0
      return { code: this.#digits(/[0-7]/, Math.max(1, length), 8, 'Illegal octal escape sequence') }
    }
    if (letter === 'c') {
      if (this.#peek() === '') throw this.#wrong('Illegal control escape sequence', this.#at - 1)
      return { code: this.#pattern.charCodeAt(this.#at++) ^ 64 }
    }
    if (/[a-zA-Z0-9]/.test(letter)) throw this.#wrong('Illegal/unsupported escape sequence', this.#at - 1)
    return { code: letter.codePointAt(0) ?? 0 }
  }

  #digits(kind: RegExp, length: number, base: number, complaint: string): number {
    const from = this.#at
    for (; this.#at < from + length; this.#at++) if (!kind.test(this.#peek())) throw this.#wrong(complaint, this.#at)
    return parseInt(this.#pattern.slice(from, this.#at), base)
  }

  #longHex(): number {
    const digits = /^[\da-fA-F]+/.exec(this.#pattern.slice(this.#at))?.[0] ?? ''
    const code = parseInt(digits, 16)
    this.#at += digits.length
    if (code > 0x10ffff) throw this.#wrong('Hexadecimal codepoint is too big', this.#at - 1)
    if (digits === '' || !this.#takes('}')) throw this.#wrong('Unclosed hexadecimal escape sequence', this.#at)
    return code
  }

  #property(letter: 'p' | 'P'): string {
    let name = this.#peek()
    this.#at++
    if (name === '{') {
      const end = this.#pattern.indexOf('}', this.#at)
      if (end < 0) throw this.#wrong('Unclosed character family', this.#pattern.length)
      name = this.#pattern.slice(this.#at, end)
      this.#at = end + 1
    }
    if (Object.hasOwn(POSIX, name)) return `[${letter === 'P' ? '^' : ''}${POSIX[name]}]`
    for (const property of [name, name.replace(/^Is/, '')]) {
      try {
        return new RegExp(`\\${letter}{${property}}`, 'v').source
      } catch {
        // JavaScript has the other, or neither.
      }
    }
    throw this.#wrong(`Unknown character property name {${name}}`, this.#at - 1)
  }

  /** Behind the bracket. */
  #class(): string {
    const isNegative = this.#takes('^')
    const operands: string[] = []
    let items = ''
    let isFirst = true
    for (; !this.#takes(']') || isFirst; isFirst = false) {
      const isBracket = isFirst && this.#pattern.charAt(this.#at - 1) === ']'
      if (!isBracket && this.#at >= this.#pattern.length) throw this.#wrong('Unclosed character class', this.#pattern.length - 1)
      if (isBracket) items += this.#range({ code: 93 })
      else if (this.#takes('&&')) {
        if (this.#peek() === ']' && items === '' && operands.length === 0) throw this.#wrong('Bad class syntax', this.#at - 1)
        if (items !== '') operands.push(`[${items}]`)
        items = ''
      } else if (this.#takes('[')) items += this.#class()
      else items += this.#range(this.#item())
    }
    if (items !== '') operands.push(`[${items}]`)
    return `[${isNegative ? '^' : ''}${operands.join('&&')}]`
  }

  #item(): Item {
    if (this.#takes('\\')) {
      if (this.#peek() === '') throw this.#wrong('Unclosed character class', this.#pattern.length)
      if (this.#peek() === 'Q') return { set: this.#quoted().map(literal).join('') }
      return this.#escaped()
    }
    const code = this.#pattern.codePointAt(this.#at) ?? 0
    this.#at += code > 0xffff ? 2 : 1
    return { code }
  }

  #range(first: Item): string {
    if ('set' in first) return first.set
    const next = this.#pattern.charAt(this.#at + 1)
    if (this.#peek() !== '-' || next === ']' || next === '[') return literal(first.code)
    this.#at++
    if (next === '') throw this.#wrong('Illegal character range', this.#at)
    const last = this.#item()
    if ('set' in last || last.code < first.code) throw this.#wrong('Illegal character range', this.#at - 1)
    return `${literal(first.code)}-${literal(last.code)}`
  }
}

function literal(code: number): string {
  const letter = String.fromCodePoint(code)
  return /^\w$/.test(letter) ? letter : `\\u{${code.toString(16)}}`
}
