// What may differ in two answers of the same tool: addresses, ids, times, where in Java's code something happened, the log,
// and the prose of help. Everything else has to be the same.

/** Masks for any tool. `directory` is where the files of the play are. */
export function masked(text: string, address: string, directory?: string): string {
  const [host, port] = address.split(':')
  const named = directory === undefined ? text : text.replaceAll(directory, 'DIR')
  return withoutHelp(withoutTraces(withoutLog(named)))
    .replaceAll(address, 'ADDRESS')
    .replaceAll(new RegExp(`${host}:?\\D{0,8}${port}`, 'g'), 'ADDRESS')
    .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, 'UUID')
    .replaceAll(KAFKA_ID, 'ID')
    .replaceAll(/\b(adminclient|console-consumer|perf-consumer)-\d+/g, '$1-N')
    .replaceAll(/\b1[6-9]\d{11}\b/g, 'TIME') // ms, of the years 2020 to 2033
    .replaceAll(/\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d([.,:]\d{1,9})?(Z|[+-]\d\d:?\d\d)?/g, 'TIME')
    .replaceAll(/(?<=[\w$])@[0-9a-f]{5,8}\b/g, '@HASH')
}

/** Kafka's Uuid: 16 bytes in base64url, so that the last character carries two bits. */
const KAFKA_ID = /(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{21}[AQgw](?![\w-])/g

const LOG_START = /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\] (TRACE|DEBUG|INFO|WARN|ERROR|FATAL) (.*)$/
const LOGGER = / ?\(([\w.$]+)\)$/
const FRAME = /^\s+at \S.*\)( ~?\[.*\])?$|^\s*\.\.\. \d+ (more|common frames omitted)$/
const CAUSE = /^\s*(Caused by|Suppressed): /
/** Whose errors a tool decides to log itself; what the clients log depends on when something happened. */
const OWN_LOGGER = /^(org\.apache\.kafka\.tools|kafka)\./

/**
 * Takes log records out, with their traces. Of an ERROR of the tool itself the first line stays, without time and logger.
 * A record ends with its logger's name in brackets, maybe lines later; a trace may follow.
 */
function withoutLog(text: string): string {
  const lines = text.split('\n')
  const kept: string[] = []
  for (let index = 0; index < lines.length; index++) {
    const start = LOG_START.exec(lines[index])
    if (start === null) {
      if (!/^(Picked up|OpenJDK|SLF4J)/.test(lines[index])) kept.push(lines[index])
      continue
    }
    const end = lines.findIndex((line, at) => at >= index && LOGGER.test(line) && !FRAME.test(line))
    const next = lines.findIndex((line, at) => at > index && LOG_START.test(line))
    if (end >= 0 && (next < 0 || end < next)) {
      const logger = LOGGER.exec(lines[end])?.[1] ?? ''
      const [, level, first] = start
      if (level === 'ERROR' && OWN_LOGGER.test(logger)) kept.push(`ERROR ${first.replace(LOGGER, '')}`)
      index = end
    }
    index = endOfTrace(lines, index)
  }
  return kept.join('\n')
}

/** The last line of the trace behind line `index`; `index` itself when there is none. */
function endOfTrace(lines: readonly string[], index: number): number {
  let last = index
  if (FRAME.test(lines[index + 2] ?? '') && !LOG_START.test(lines[index + 1] ?? '')) last = index + 1
  while (FRAME.test(lines[last + 1] ?? '') || CAUSE.test(lines[last + 1] ?? '')) last = endOfCause(lines, last + 1)
  return last
}

/** The last line of a frame or of a cause's message, which may have several. */
function endOfCause(lines: readonly string[], index: number): number {
  if (!CAUSE.test(lines[index])) return index
  const frame = lines.findIndex((line, at) => at > index && FRAME.test(line))
  return frame < 0 ? index : frame
}

/** Leaves the first line of each of Java's traces, and the empty line that some tools print behind one. */
function withoutTraces(text: string): string {
  const lines = text.split('\n')
  const kept: string[] = []
  for (let index = 0; index < lines.length; index++) {
    if (CAUSE.test(lines[index])) index = endOfCause(lines, index)
    else if (!FRAME.test(lines[index])) kept.push(lines[index])
  }
  return kept.join('\n')
}

/** jopt's table of options, and argparse's usage and help: to the error in the last line, or to the end. */
function withoutHelp(text: string): string {
  return text
    .replaceAll(/^Option( \(\* = required\))? +Description *\n[ -]+\n(?:(?:[ -]|\* -).*(?:\n|(?![\s\S]))|\n(?=[ -]))*/gm, 'OPTIONS$1\n')
    .replaceAll(/^usage: [\s\S]*?(?=^[\w.-]+: +error: +|(?![\s\S]))/gm, 'USAGE\n')
}

/** JSON with the keys of its objects in order, a value in each line that holds one; other lines stay as they are. */
export function sortedJson(text: string, hasSortedArrays: boolean): string {
  const whole = parsed(text.trim())
  if (whole !== undefined) return JSON.stringify(sorted(whole, hasSortedArrays)) + '\n'
  const lines = text.split('\n').map((line) => {
    const value = /^\s*[{[]/.test(line) ? parsed(line) : undefined
    return value === undefined ? line : JSON.stringify(sorted(value, hasSortedArrays))
  })
  return lines.join('\n')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function sorted(value: unknown, hasSortedArrays: boolean): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => sorted(item, hasSortedArrays))
    return hasSortedArrays ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items
  }
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => [key, sorted(item, hasSortedArrays)])
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
