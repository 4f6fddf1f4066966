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
  const stopped = new Promise<undefined>((resolve) => (stop = () => resolve(undefined)))
  const signals = onSignals(stop)
  const isFrame = output.isTerminal && !output.isJson
  try {
    for (let count = 0; ; count++) {
      const began = clock.monotonic()
      output.time = new Date(clock.now()).toISOString()
      if (!isFrame && !output.isJson) await output.write(`${count === 0 ? '' : '\n'}${output.time}\n`)
      const drawing = isFrame ? output.held(draw) : draw().then(() => '')
      const drawn = await Promise.race([drawing, stopped]).catch((error: unknown) => {
        if (count === 0) throw error
        if (!isFrame) output.fail(failureOf(error))
        return `ktool: ${failureLine(failureOf(error))}\n`
      })
      if (drawn === undefined) {
        drawing.catch(() => undefined) // its cluster will be closed
        break
      }
      if (isFrame) await frame(output, drawn, count === 0)
      const pause = new Promise<true>((resolve) => clock.after(EVERY_MS - (clock.monotonic() - began), () => resolve(true), true))
      if ((await Promise.race([pause, stopped])) === undefined) break
    }
  } finally {
    signals.release()
    if (signals.exitCode !== undefined) process.exitCode = signals.exitCode
  }
}

/** On a terminal: over what was there, and no more than fits. */
async function frame(output: Output, text: string, isFirst: boolean): Promise<void> {
  const paint = await output.paint()
  const lines = text.split('\n').slice(0, -1)
  const room = (output.height ?? Infinity) - 2 // the line above, and that of the cursor
  const isCut = lines.length > room
  const shown = isCut ? [...lines.slice(0, room - 1), paint.faint(`… ${lines.length - room + 1} lines more`)] : lines
  const all = [paint.faint(`${output.time ?? ''}, every second; Ctrl-C ends it`), ...shown]
  await output.write(`${isFirst ? CLEAR : ''}${HOME}${all.map((line) => `${line}${CLEAR_LINE}\n`).join('')}${CLEAR_BELOW}`)
}
