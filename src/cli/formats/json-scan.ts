// JSON found in bytes, not made into values: where a token ends, and what a string says. By RFC 8259 and nothing beside it;
// whoever calls has seen that the bytes are UTF-8. Nothing here recurses, so that depth costs no stack.

const QUOTE = 0x22
const BACKSLASH = 0x5c
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY, COMMA, COLON] = Buffer.from('{}[],:')
const WORDS = ['true', 'false', 'null'].map((word) => Buffer.from(word))
const ESCAPES: ReadonlyMap<number, number> = new Map(
  Object.entries({ '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }).map(([letter, meant]) => [
    letter.charCodeAt(0),
    meant.charCodeAt(0),
  ]),
)

/** The first position in [at, end) that is no white space, or `end`. */
export function skipSpace(bytes: Buffer, at: number, end: number): number {
  while (at < end && isSpace(bytes[at])) at++
  return at
}

export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d
}

/** Where the value that starts at `at` ends, or −1 when there is none before `end`. */
export function valueEnd(bytes: Buffer, at: number, end: number): number {
  const open: number[] = [] // the brackets that wait for their other half
  for (;;) {
    // At a value.
    const first = bytes[at]
    if (at >= end) return -1
    if (first === OPEN_OBJECT || first === OPEN_ARRAY) {
      open.push(first)
      at = skipSpace(bytes, at + 1, end)
      const isEmpty = at < end && bytes[at] === (first === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY)
      if (!isEmpty) {
        if (first === OPEN_OBJECT) at = memberStart(bytes, at, end)
        if (at < 0) return -1
        continue
      }
    } else {
      at = scalarEnd(bytes, at, end)
      if (at < 0) return -1
      if (open.length === 0) return at
      at = skipSpace(bytes, at, end)
    }
    // Behind a value: what is closed, or the next one.
    while (open.length > 0 && at < end && bytes[at] === (open.at(-1) === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY)) {
      open.pop()
      if (open.length === 0) return at + 1
      at = skipSpace(bytes, at + 1, end)
    }
    if (at >= end || bytes[at] !== COMMA) return -1
    at = skipSpace(bytes, at + 1, end)
    if (open.at(-1) === OPEN_OBJECT) at = memberStart(bytes, at, end)
    if (at < 0) return -1
  }
}

/** From the name of a member to its value; −1 when there is none. */
function memberStart(bytes: Buffer, at: number, end: number): number {
  const name = stringEnd(bytes, at, end)
  if (name < 0) return -1
  const colon = skipSpace(bytes, name, end)
  return colon < end && bytes[colon] === COLON ? skipSpace(bytes, colon + 1, end) : -1
}

function scalarEnd(bytes: Buffer, at: number, end: number): number {
  const first = bytes[at]
  if (first === QUOTE) return stringEnd(bytes, at, end)
  if (first === 0x2d || isDigit(first)) return numberEnd(bytes, at, end)
  for (const word of WORDS) {
    if (at + word.length <= end && word.compare(bytes, at, at + word.length) === 0) return at + word.length
  }
  return -1
}

/** Behind the closing quote of the string that opens at `at`, or −1. */
export function stringEnd(bytes: Buffer, at: number, end: number): number {
  if (at >= end || bytes[at] !== QUOTE) return -1
  for (at++; at < end; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) return at + 1
    if (byte < 0x20) return -1
    if (byte !== BACKSLASH) continue
    at++
    if (at >= end) return -1
    if (bytes[at] === 0x75) {
      if (at + 4 >= end || !isHex(bytes, at + 1)) return -1
      at += 4
    } else if (!ESCAPES.has(bytes[at])) return -1
  }
  return -1
}

function numberEnd(bytes: Buffer, at: number, end: number): number {
  const digits = (from: number): number => {
    while (from < end && isDigit(bytes[from])) from++
    return from
  }
  if (bytes[at] === 0x2d) at++
  const whole = digits(at)
  if (whole === at || (bytes[at] === 0x30 && whole > at + 1)) return -1
  at = whole
  if (at < end && bytes[at] === 0x2e) {
    const fraction = digits(at + 1)
    if (fraction === at + 1) return -1
    at = fraction
  }
  if (at < end && (bytes[at] | 0x20) === 0x65) {
    const sign = at + 1 < end && (bytes[at + 1] === 0x2b || bytes[at + 1] === 0x2d) ? at + 2 : at + 1
    at = digits(sign)
    if (at === sign) return -1
  }
  return at
}

/**
 * Writes what the string token [start, end), quotes included, says to `into` at `at`, and returns the position behind it; it is
 * never longer than the token. −1: it names half of a surrogate pair, which no UTF-8 has.
 */
export function unescape(bytes: Buffer, start: number, end: number, into: Buffer, at: number): number {
  for (let from = start + 1; from < end - 1; ) {
    let run = bytes.indexOf(BACKSLASH, from)
    if (run < 0 || run > end - 1) run = end - 1
    at += bytes.copy(into, at, from, run)
    if (run === end - 1) break
    const meant = ESCAPES.get(bytes[run + 1])
    from = run + 2
    if (meant !== undefined) {
      into[at++] = meant
      continue
    }
    let point = hex(bytes, run + 2)
    from = run + 6
    if (point >= 0xd800 && point <= 0xdfff) {
      const low = point < 0xdc00 && from + 6 < end && bytes[from] === BACKSLASH && bytes[from + 1] === 0x75 ? hex(bytes, from + 2) : 0
      if (low < 0xdc00 || low > 0xdfff) return -1
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00)
      from += 6
    }
    at += into.write(String.fromCodePoint(point), at)
  }
  return at
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

function isHex(bytes: Buffer, at: number): boolean {
  for (let digit = at; digit < at + 4; digit++) {
    const lower = bytes[digit] | 0x20
    if (!isDigit(bytes[digit]) && (lower < 0x61 || lower > 0x66)) return false
  }
  return true
}

function hex(bytes: Buffer, at: number): number {
  return Number.parseInt(bytes.toString('latin1', at, at + 4), 16)
}
