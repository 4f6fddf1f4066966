// What changes, shown anew each second until Ctrl-C: on a terminal in place, elsewhere one after the other with the time in
// front, in JSON as one object a line. What fails at first is the command's error; later it is said, and tried again.

import { type Clock, systemClock } from '../base/clock.ts'
import { failureLine, failureOf } from './errors.ts'
import type { Output } from './output.ts'
import { onSignals } from './signals.ts'

const EVERY_MS = 1_000

const [HOME, CLEAR, CLEAR_LINE, CLEAR_BELOW] = ['\x1b[H', '\x1b[2J', '\x1b[K', '\x1b[J']

/** Returns after SIGINT or SIGTERM, with process.exitCode set. */
export async function redraw(output: Output, draw: () => Promise<void>, clock: Clock = systemClock): Promise<void> {
  let stop: () => void = () => {}
  const stopped = new Promise<'stopped'>((resolve) => (stop = () => resolve('stopped')))
  const signals = onSignals(stop)
  const isFrame = output.isTerminal && !output.isJson
  try {
    for (let count = 0; ; count++) {
      const began = clock.monotonic()
      output.time = new Date(clock.now()).toISOString()
      const drawing = isFrame ? frame(output, draw, count === 0) : appended(output, draw, count === 0)
      if ((await Promise.race([drawing, stopped])) === 'stopped') {
        drawing.catch(() => undefined) // its cluster will be closed
        break
      }
      const pause = new Promise<void>((resolve) => clock.after(EVERY_MS - (clock.monotonic() - began), resolve, true))
      if ((await Promise.race([pause, stopped])) === 'stopped') break
    }
  } finally {
    signals.release()
    if (signals.exitCode !== undefined) process.exitCode = signals.exitCode
  }
}

async function appended(output: Output, draw: () => Promise<void>, isFirst: boolean): Promise<void> {
  if (!output.isJson) {
    if (!isFirst) output.line('')
    output.line(output.time ?? '')
  }
  try {
    await draw()
  } catch (error) {
    if (isFirst) throw error
    output.fail(failureOf(error))
  }
}

async function frame(output: Output, draw: () => Promise<void>, isFirst: boolean): Promise<void> {
  const text = await output.held(draw).catch((error: unknown) => {
    if (isFirst) throw error
    return `ktool: ${failureLine(failureOf(error))}\n`
  })
  const paint = await output.paint()
  const lines = text.split('\n').slice(0, -1)
  const room = (output.height ?? Infinity) - 2 // the line above, and that of the cursor
  const isCut = lines.length > room
  const shown = isCut ? [...lines.slice(0, room - 1), paint.faint(`… ${lines.length - room + 1} lines more`)] : lines
  const all = [paint.faint(`${output.time ?? ''}, every second; Ctrl-C ends it`), ...shown]
  await output.write(`${isFirst ? CLEAR : ''}${HOME}${all.map((line) => `${line}${CLEAR_LINE}\n`).join('')}${CLEAR_BELOW}`)
}
