// Regular expressions over names, in time that is linear in the name and bounded altogether, so that a hostile one, or hostile
// names, can't hold up the event loop: an automaton whose states are sets of places in the expression, made as they are met.

import { KafkaError } from './errors.ts'
import { ALPHABET, parseRegex, RegexProblem } from './re2.ts'
import type { Assertion, CharacterSet, RegexNode } from './re2.ts'

type Place =
  | { readonly kind: 'set'; readonly set: CharacterSet; next: number }
  | { readonly kind: 'fork'; readonly nexts: number[] }
  | { readonly kind: 'assert'; readonly what: Assertion; next: number }
  | { readonly kind: 'end' }

type Side = 'edge' | 'word' | 'other'

interface State {
  readonly places: readonly number[]
  /** What the last character was. */
  readonly before: Side
  /** By character of ASCII. */
  readonly nexts: (State | undefined)[]
  isAccepted: boolean | undefined
}

const MAX_PLACES = 50_000
const MAX_STATES = 5_000
// While one expression is tried on all names: a character where the way is known is one step, a place looked at several.
const MAX_STEPS = 5_000_000
const STEPS_A_PLACE = 5
const END = 0

export class LinearRegex {
  readonly #what: string
  readonly #source: string
  readonly #places: Place[] = [{ kind: 'end' }]
  readonly #states = new Map<string, State>()
  readonly #seen: Uint32Array
  #look = 0
  #steps = 0
  #compiled = 0
  readonly #start: number

  /** `what` it is called in the text of errors. Throws KafkaError INVALID_REGULAR_EXPRESSION, also for one that is too large. */
  constructor(what: string, source: string) {
    this.#what = what
    this.#source = source
    try {
      this.#start = this.#compile(parseRegex(source), END)
    } catch (error) {
      if (error instanceof RegexProblem) throw this.#invalid(error.message)
      throw error
    }
    this.#seen = new Uint32Array(this.#places.length)
  }

  /**
   * Those of `names` that match as a whole. Throws KafkaError INVALID_REGULAR_EXPRESSION when it takes too long; characters
   * that are `free` don't count.
   */
  matching(names: Iterable<string>, free = 0): Set<string> {
    this.#steps = -free
    const found = new Set<string>()
    for (const name of names) if (this.#matches(name)) found.add(name)
    return found
  }

  /** Steps that it took to read it and to try it. */
  get work(): number {
    return this.#compiled * STEPS_A_PLACE + this.#steps
  }

  #matches(name: string): boolean {
    let state = this.#state([this.#start], 'edge')
    for (let at = 0; at < name.length; at++) {
      if (state.places.length === 0) return false
      this.#count(1)
      const code = name.codePointAt(at) ?? 0
      if (code < ALPHABET) {
        state = state.nexts[code] ??= this.#after(state, code)
      } else {
        state = this.#after(state, code)
        if (code > 0xffff) at++
      }
    }
    state.isAccepted ??= this.#reachable(state, 'edge').includes(END)
    return state.isAccepted
  }

  #after(state: State, code: number): State {
    const side = sideOf(code)
    const nexts = new Set<number>()
    for (const at of this.#reachable(state, side)) {
      const place = this.#places[at]
      if (place.kind === 'set' && isIn(place.set, code)) nexts.add(place.next)
    }
    return this.#state([...nexts].sort((one, other) => one - other), side)
  }

  #state(places: readonly number[], before: Side): State {
    const key = `${before} ${places.join()}`
    const known = this.#states.get(key)
    if (known !== undefined) return known
    if (this.#states.size >= MAX_STATES) this.#states.clear()
    const state: State = { places, before, nexts: new Array<State | undefined>(ALPHABET), isAccepted: undefined }
    this.#states.set(key, state)
    this.#count(places.length * STEPS_A_PLACE)
    return state
  }

  /** Places that take a character, or are the end, without one being taken; `after` is what comes next. */
  #reachable({ places, before }: State, after: Side): number[] {
    this.#look++
    const found: number[] = []
    const stack = [...places]
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (this.#seen[at] === this.#look) continue
      this.#seen[at] = this.#look
      this.#count(STEPS_A_PLACE)
      const place = this.#places[at]
      if (place.kind === 'fork') stack.push(...place.nexts)
      else if (place.kind !== 'assert') found.push(at)
      else if (holds(place.what, before, after)) stack.push(place.next)
    }
    return found
  }

  #count(steps: number): void {
    this.#steps += steps
    if (this.#steps > MAX_STEPS) throw this.#invalid('matching it takes too long')
  }

  #invalid(why: string): KafkaError {
    const text = `${this.#what} \`${this.#source}\` is not a valid regular expression: ${why}.`
    return new KafkaError('INVALID_REGULAR_EXPRESSION', text)
  }

  /** The place where `node` begins when `next` comes behind it. */
  #compile(node: RegexNode, next: number): number {
    // Repeated emptiness takes no place, but time.
    if (++this.#compiled > MAX_PLACES) throw this.#invalid('it is too large')
    switch (node.kind) {
      case 'empty':
        return next
      case 'set':
        return this.#add({ kind: 'set', set: node.set, next })
      case 'assert':
        return this.#add({ kind: 'assert', what: node.what, next })
      case 'all': {
        let begin = next
        for (const part of [...node.nodes].reverse()) begin = this.#compile(part, begin)
        return begin
      }
      case 'any':
        return this.#add({ kind: 'fork', nexts: node.nodes.map((part) => this.#compile(part, next)) })
      case 'repeat':
        return this.#repeat(node.node, node.min, node.max, next)
    }
  }

  #repeat(node: RegexNode, min: number, max: number, next: number): number {
    let begin = next
    if (max === Infinity) {
      const nexts = [next]
      begin = this.#add({ kind: 'fork', nexts })
      nexts.push(this.#compile(node, begin))
    } else {
      for (let times = min; times < max; times++) begin = this.#add({ kind: 'fork', nexts: [this.#compile(node, begin), next] })
    }
    for (let times = 0; times < min; times++) begin = this.#compile(node, begin)
    return begin
  }

  #add(place: Place): number {
    if (this.#places.length >= MAX_PLACES) throw this.#invalid('it is too large')
    return this.#places.push(place) - 1
  }
}

function isIn({ ascii, beyond }: CharacterSet, code: number): boolean {
  return code < ALPHABET ? ascii[code] === 1 : beyond?.test(String.fromCodePoint(code)) === true
}

function sideOf(code: number): Side {
  return /\w/.test(String.fromCodePoint(code)) ? 'word' : 'other'
}

function holds(what: Assertion, before: Side, after: Side): boolean {
  switch (what) {
    case 'start':
      return before === 'edge'
    case 'end':
      return after === 'edge'
    case 'boundary':
      return (before === 'word') !== (after === 'word')
    case 'inside':
      return (before === 'word') === (after === 'word')
  }
}
