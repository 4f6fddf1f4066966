// Regular expressions over topic names, in time that is linear in the name and bounded altogether, so that a hostile one
// can't hold up the event loop: an automaton whose states are sets of places in the expression, made as they are met.

import { ALPHABET, invalidRegex, parseRegex } from './regex-parser.ts'
import type { Assertion, RegexNode } from './regex-parser.ts'

type Place =
  | { readonly kind: 'set'; readonly set: Uint8Array; next: number }
  | { readonly kind: 'fork'; readonly nexts: number[] }
  | { readonly kind: 'assert'; readonly what: Assertion; next: number }
  | { readonly kind: 'end' }

type Side = 'edge' | 'word' | 'other'

interface State {
  readonly places: readonly number[]
  /** What the last character was. */
  readonly before: Side
  /** By character. */
  readonly nexts: (State | undefined)[]
  isAccepted: boolean | undefined
}

const MAX_PLACES = 50_000
const MAX_STATES = 5_000
// Of places looked at while one expression is tried on all topics: some ten milliseconds.
const MAX_STEPS = 5_000_000
const END = 0

export class TopicRegex {
  readonly source: string
  readonly #places: Place[] = [{ kind: 'end' }]
  readonly #states = new Map<string, State>()
  readonly #seen: Uint32Array
  #look = 0
  #steps = 0
  #compiled = 0
  readonly #start: number

  /** Throws KafkaError INVALID_REGULAR_EXPRESSION, also for one that is too large. */
  constructor(source: string) {
    this.source = source
    this.#start = this.#compile(parseRegex(source), END)
    this.#seen = new Uint32Array(this.#places.length)
  }

  /** Those of `names` that match as a whole. Throws KafkaError INVALID_REGULAR_EXPRESSION when it takes too long. */
  matching(names: Iterable<string>): Set<string> {
    this.#steps = 0
    const found = new Set<string>()
    for (const name of names) if (this.#matches(name)) found.add(name)
    return found
  }

  #matches(name: string): boolean {
    let state = this.#state([this.#start], 'edge')
    for (let at = 0; at < name.length; at++) {
      const code = name.charCodeAt(at)
      if (code >= ALPHABET || state.places.length === 0) return false
      this.#count(1)
      state = state.nexts[code] ??= this.#after(state, code)
    }
    state.isAccepted ??= this.#reachable(state, 'edge').includes(END)
    return state.isAccepted
  }

  #after(state: State, code: number): State {
    const side = sideOf(code)
    const nexts = new Set<number>()
    for (const at of this.#reachable(state, side)) {
      const place = this.#places[at]
      if (place.kind === 'set' && place.set[code] === 1) nexts.add(place.next)
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
    this.#count(places.length)
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
      this.#count(1)
      const place = this.#places[at]
      if (place.kind === 'fork') stack.push(...place.nexts)
      else if (place.kind !== 'assert') found.push(at)
      else if (holds(place.what, before, after)) stack.push(place.next)
    }
    return found
  }

  #count(steps: number): void {
    this.#steps += steps
    if (this.#steps > MAX_STEPS) throw invalidRegex(this.source, 'matching it takes too long')
  }

  /** The place where `node` begins when `next` comes behind it. */
  #compile(node: RegexNode, next: number): number {
    // Repeated emptiness takes no place, but time.
    if (++this.#compiled > MAX_PLACES) throw invalidRegex(this.source, 'it is too large')
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
    if (this.#places.length >= MAX_PLACES) throw invalidRegex(this.source, 'it is too large')
    return this.#places.push(place) - 1
  }
}

function sideOf(code: number): Side {
  return /\w/.test(String.fromCharCode(code)) ? 'word' : 'other'
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
