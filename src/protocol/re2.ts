// RE2's syntax, as Kafka takes it from clients (RE2/J, Perl flags), read into a tree: the broker matches with it, and
// kafka-consumer-groups --validate-regex tells what is wrong with one. What is matched is mostly ASCII, so a set of characters
// is a table of 128, and a class in JavaScript's words for the rest. Neither references back nor looks around.

/** Which characters are in it. */
export interface CharacterSet {
  /** By code, 1 or 0. */
  readonly ascii: Uint8Array
  /** Of one character beyond ASCII; undefined: none of them. */
  readonly beyond: RegExp | undefined
}

export type RegexNode =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'empty' }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'all' | 'any'; readonly nodes: readonly RegexNode[] }
  | { readonly kind: 'repeat'; readonly node: RegexNode; readonly min: number; readonly max: number }

export type Assertion = 'start' | 'end' | 'boundary' | 'inside'

export const ALPHABET = 128
const MAX_DEPTH = 500
const MAX_REPEAT = 1000

/** Why an expression is none, in RE2/J's words. */
export class RegexProblem extends Error {}

/** Throws RegexProblem. */
export function parseRegex(source: string): RegexNode {
  return new Parser(source).parse()
}

interface Flags {
  readonly ignoresCase: boolean
}

/** A set in the making. */
interface Part {
  readonly ascii: Uint8Array
  /** What stands for the rest of it between the brackets of a class of JavaScript's. */
  readonly beyond: string
}

const EMPTY: RegexNode = { kind: 'empty' }
const BEYOND = '\\u{80}-\\u{10ffff}' // all of it
/* eslint-disable no-control-regex -- what a character class has */
const POSIX: Readonly<Record<string, RegExp>> = {
  alnum: /[A-Za-z0-9]/, alpha: /[A-Za-z]/, ascii: /[\x00-\x7F]/, blank: /[\t ]/, cntrl: /[\x00-\x1F\x7F]/, digit: /\d/, graph: /[!-~]/,
  lower: /[a-z]/, print: /[ -~]/, punct: /[!-/:-@[-`{-~]/, space: /[\t-\r ]/, upper: /[A-Z]/, word: /\w/, xdigit: /[\dA-Fa-f]/,
} // prettier-ignore
/* eslint-enable no-control-regex */
const PERL: Readonly<Record<string, RegExp>> = { d: /\d/, s: /[\t\n\f\r ]/, w: /\w/, D: /\D/, S: /[^\t\n\f\r ]/, W: /\W/ }
const ESCAPES: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 }

class Parser {
  readonly #text: readonly string[]
  readonly #names = new Set<string>()
  /** Made once for each character: a set takes long. */
  readonly #literals = new Map<string, RegexNode>()
  #at = 0
  #flags: Flags = { ignoresCase: false }
  #depth = 0

  constructor(source: string) {
    this.#text = Array.from(source)
  }

  parse(): RegexNode {
    const node = this.#alternatives()
    if (this.#peek() !== undefined) throw new RegexProblem('regexp/syntax: internal error') // as RE2/J says it
    return node
  }

  #peek(ahead = 0): string | undefined {
    return this.#text[this.#at + ahead]
  }

  #takes(text: string): boolean {
    for (let at = 0; at < text.length; at++) if (this.#peek(at) !== text[at]) return false
    this.#at += text.length
    return true
  }

  #alternatives(): RegexNode {
    if (++this.#depth > MAX_DEPTH) throw new RegexProblem('expression nests too deeply')
    const outer = this.#flags
    const nodes = [this.#sequence()]
    while (this.#takes('|')) nodes.push(this.#sequence())
    this.#flags = outer
    this.#depth--
    return nodes.length === 1 ? nodes[0] : { kind: 'any', nodes }
  }

  #sequence(): RegexNode {
    const nodes: RegexNode[] = []
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek()) {
      const atom = next === '\\' && this.#peek(1) === 'Q' ? this.#quoted(nodes) : this.#atom(next)
      if (atom !== undefined) nodes.push(this.#repeated(atom))
    }
    return nodes.length === 0 ? EMPTY : nodes.length === 1 ? nodes[0] : { kind: 'all', nodes }
  }

  #repeated(atom: RegexNode): RegexNode {
    const bounds = this.#bounds()
    if (bounds === undefined) return atom
    this.#takes('?') // lazy: which way is tried first does not matter here
    const [min, max] = bounds
    if (this.#bounds() !== undefined) throw new RegexProblem('invalid nested repetition operator')
    return { kind: 'repeat', node: atom, min, max }
  }

  /** Of a repetition operator, when there is one. */
  #bounds(): readonly [number, number] | undefined {
    if (this.#takes('*')) return [0, Infinity]
    if (this.#takes('+')) return [1, Infinity]
    if (this.#takes('?')) return [0, 1]
    if (this.#peek() !== '{') return undefined
    const found = /^\{(\d+)(,(\d*))?\}/.exec(this.#text.slice(this.#at, this.#at + 16).join(''))
    if (found === null) return undefined
    this.#at += found[0].length
    const min = Number(found[1])
    const max = found.at(2) === undefined ? min : found[3] === '' ? Infinity : Number(found[3])
    if (min > MAX_REPEAT || (max !== Infinity && (max > MAX_REPEAT || max < min))) throw new RegexProblem('invalid repeat count')
    return [min, max]
  }

  /** undefined: flags alone. */
  #atom(next: string): RegexNode | undefined {
    switch (next) {
      case '(':
        return this.#group()
      case '[':
        return { kind: 'set', set: this.#class() }
      case '.':
        this.#at++
        return setNode(part((code) => code !== 10, BEYOND))
      case '^':
        this.#at++
        return { kind: 'assert', what: 'start' }
      case '$':
        this.#at++
        return { kind: 'assert', what: 'end' }
      case '\\':
        return this.#escaped()
      case '*':
      case '+':
      case '?':
        throw new RegexProblem('missing argument to repetition operator')
      default:
        if (this.#bounds() !== undefined) throw new RegexProblem('missing argument to repetition operator')
        this.#at++
        return this.#literal(next)
    }
  }

  #group(): RegexNode | undefined {
    this.#at++
    const outer = this.#flags
    if (this.#takes('?')) {
      const rest = this.#text.slice(this.#at, this.#at + 200).join('')
      const name = /^P?<([^>]*)>/.exec(rest)
      const flags = /^([imsU]*)(?:-([imsU]+))?([:)])/.exec(rest)
      if (name !== null) {
        if (!/^\w+$/.test(name[1])) throw new RegexProblem('invalid named capture')
        if (this.#names.has(name[1])) throw new RegexProblem('duplicate capture group name')
        this.#names.add(name[1])
        this.#at += name[0].length
      } else if (flags !== null && rest[0] !== ')') {
        this.#at += flags[0].length
        const [, on, off = '', end] = flags
        this.#flags = { ignoresCase: (outer.ignoresCase || on.includes('i')) && !off.includes('i') }
        if (end === ')') return undefined // for the rest of the group around it
      } else throw new RegexProblem(/^P?</.test(rest) ? 'invalid named capture' : 'invalid or unsupported Perl syntax')
    }
    const node = this.#alternatives()
    if (this.#peek() !== ')') throw new RegexProblem('missing closing )')
    this.#at++
    this.#flags = outer
    return node
  }

  #escaped(): RegexNode {
    this.#at++
    const next = this.#peek()
    if (next === undefined) throw new RegexProblem('trailing backslash at end of expression')
    const assertion = ({ A: 'start', z: 'end', b: 'boundary', B: 'inside' } as const)[next]
    if (assertion !== undefined) {
      this.#at++
      return { kind: 'assert', what: assertion }
    }
    if (next === 'C') {
      this.#at++
      return setNode(part(() => true, BEYOND))
    }
    return setNode(this.#classEscape() ?? this.#span(this.#escapedCode()), this.#flags)
  }

  /** What is quoted goes into `nodes`, but for its last character, which may be repeated. */
  #quoted(nodes: RegexNode[]): RegexNode | undefined {
    this.#at += 2
    let last: RegexNode | undefined
    for (let next = this.#peek(); next !== undefined && !this.#takes('\\E'); next = this.#peek()) {
      if (last !== undefined) nodes.push(last)
      last = this.#literal(next)
      this.#at++
    }
    return last
  }

  #literal(character: string): RegexNode {
    const key = `${this.#flags.ignoresCase} ${character}`
    const node = this.#literals.get(key) ?? setNode(this.#span(character.codePointAt(0) ?? 0), this.#flags)
    this.#literals.set(key, node)
    return node
  }

  /** \d, \pN and the like; undefined, and nothing taken, when it is another escape. */
  #classEscape(): Part | undefined {
    const next = this.#peek() ?? ''
    if (Object.hasOwn(PERL, next)) {
      this.#at++
      return part((code) => PERL[next].test(String.fromCharCode(code)), /[DSW]/.test(next) ? BEYOND : '')
    }
    if (next !== 'p' && next !== 'P') return undefined
    const found = /^[pP](?:\{(\^?)([^}]*)\}|(.))/su.exec(this.#text.slice(this.#at, this.#at + 40).join(''))
    const property = propertyOf(found?.[2] ?? found?.[3] ?? '')
    if (found === null || property === undefined) throw new RegexProblem('invalid character class range')
    this.#at += found[0].length
    const isNegated = (next === 'P') !== (found[1] === '^')
    const ascii = (code: number) => property.test(String.fromCharCode(code)) !== isNegated
    return part(ascii, isNegated ? property.source.replace('p', 'P') : property.source)
  }

  /** Of an escape that stands for one character. */
  #escapedCode(): number {
    const rest = this.#text.slice(this.#at, this.#at + 12).join('')
    const found = /^(?:x([\dA-Fa-f]{2})|x\{([\dA-Fa-f]{1,6})\}|([1-7][0-7]{1,2}|0[0-7]{0,2}))/.exec(rest)
    if (found !== null) {
      this.#at += found[0].length
      const hex = found.at(1) ?? found.at(2)
      const code = hex === undefined ? parseInt(found[3], 8) : parseInt(hex, 16)
      if (code <= 0x10ffff) return code
    } else {
      const next = this.#text[this.#at++] ?? ''
      if (Object.hasOwn(ESCAPES, next)) return ESCAPES[next]
      if (next !== '' && next < '\x80' && /\W/.test(next)) return next.charCodeAt(0)
    }
    throw new RegexProblem('invalid escape sequence')
  }

  #class(): CharacterSet {
    this.#at++
    const isNegated = this.#takes('^')
    const ascii = new Uint8Array(ALPHABET)
    const beyond: string[] = []
    for (let isFirst = true; isFirst || this.#peek() !== ']'; isFirst = false) {
      if (this.#peek() === undefined) throw new RegexProblem('missing closing ]')
      if (this.#peek() === '-' && !isFirst && this.#peek(1) !== ']' && this.#peek(1) !== undefined) {
        throw new RegexProblem('invalid character class range')
      }
      const more = this.#posix() ?? this.#escapeInClass() ?? this.#range()
      more.ascii.forEach((isIn, code) => (ascii[code] |= isIn))
      beyond.push(more.beyond)
    }
    this.#at++
    return setOf({ ascii, beyond: beyond.join('') }, this.#flags, isNegated)
  }

  #posix(): Part | undefined {
    if (this.#peek() !== '[' || this.#peek(1) !== ':') return undefined
    const found = /^\[:(\^?)(\w+):\]/.exec(this.#text.slice(this.#at, this.#at + 16).join(''))
    if (found === null) return undefined
    if (!Object.hasOwn(POSIX, found[2])) throw new RegexProblem('invalid character class range')
    this.#at += found[0].length
    const isNegated = found[1] === '^'
    return part((code) => POSIX[found[2]].test(String.fromCharCode(code)) !== isNegated, isNegated ? BEYOND : '')
  }

  #escapeInClass(): Part | undefined {
    if (this.#peek() !== '\\') return undefined
    this.#at++
    const found = this.#classEscape()
    if (found === undefined) this.#at--
    return found
  }

  #range(): Part {
    const from = this.#classCode()
    if (this.#peek() !== '-' || this.#peek(1) === ']' || this.#peek(1) === undefined) return this.#span(from)
    this.#at++
    const to = this.#classCode()
    if (to < from) throw new RegexProblem('invalid character class range')
    return this.#span(from, to)
  }

  #classCode(): number {
    const next = this.#text.at(this.#at++)
    if (next === undefined) throw new RegexProblem('missing closing ]')
    return next === '\\' ? this.#escapedCode() : (next.codePointAt(0) ?? 0)
  }

  /** The characters from one to another, with those that differ in case alone where case is ignored. */
  #span(from: number, to = from): Part {
    const has = (code: number) => code >= from && code <= to
    const beyond = to < ALPHABET ? '' : `\\u{${Math.max(from, ALPHABET).toString(16)}}-\\u{${to.toString(16)}}`
    if (!this.#flags.ignoresCase) return part(has, beyond)
    const other = (code: number) => (code >= 65 && code <= 90 ? code + 32 : code >= 97 && code <= 122 ? code - 32 : code)
    return part((code) => has(code) || has(other(code)), beyond)
  }
}

function part(isIn: (code: number) => boolean, beyond: string): Part {
  return { ascii: Uint8Array.from({ length: ALPHABET }, (_, code) => Number(isIn(code))), beyond }
}

function setNode(made: Part, flags?: Flags): RegexNode {
  return { kind: 'set', set: setOf(made, flags) }
}

function setOf({ ascii, beyond }: Part, flags?: Flags, isNegated = false): CharacterSet {
  const has = beyond === '' && !isNegated ? undefined : new RegExp(`[${isNegated ? '^' : ''}${beyond}]`, flags?.ignoresCase === true ? 'iu' : 'u')
  return { ascii: isNegated ? ascii.map((isIn) => 1 - isIn) : ascii, beyond: has }
}

/** A general category or a script. */
function propertyOf(name: string): RegExp | undefined {
  if (name === 'Any') return /\p{Any}/u
  if (!/^[A-Z][A-Za-z_]*$/.test(name)) return undefined
  try {
    return new RegExp(name.length <= 2 ? `\\p{${name}}` : `\\p{Script=${name}}`, 'u')
  } catch {
    return undefined // Unicode has none of that name
  }
}
