// Bytes taken apart as Python's struct would, in the letters franz-go has for it; what is missing is said in the output.

import { usageError } from '../errors.ts'

const SIZES: Readonly<Record<string, number>> = { b: 1, h: 2, i: 4, q: 8 }

type Step = (bytes: Buffer) => { readonly text: Buffer | string; readonly size: number }

/** Little endian until a `>`. Usage error for letters that are not known, or that stand behind the end. */
export function unpacker(layout: string): (bytes: Buffer) => Buffer {
  const steps: Step[] = []
  let isLittle = true
  let isOver = false
  for (const letter of layout) {
    if (isOver) throw usageError(`unpack '${layout}': nothing can stand behind s or $`)
    if (letter === '<' || letter === '>') isLittle = letter === '<'
    else if (letter === 'c' || letter === '.') steps.push((bytes) => (bytes.length < 1 ? { text: '%!c(no bytes available)', size: 0 } : { text: bytes.subarray(0, 1), size: 1 }))
    else if (letter === 's') steps.push((bytes) => ({ text: bytes, size: bytes.length }))
    else if (letter === '$') steps.push((bytes) => ({ text: bytes.length > 0 ? '%!$(not end-of-input)' : '', size: bytes.length }))
    else if (letter !== 'x') steps.push(numberStep(layout, letter, isLittle))
    isOver = letter === 's' || letter === '$'
  }
  return (bytes) => {
    const parts: Buffer[] = []
    let rest = bytes
    for (const step of steps) {
      const { text, size } = step(rest)
      parts.push(typeof text === 'string' ? Buffer.from(text) : text)
      rest = rest.subarray(size)
    }
    return Buffer.concat(parts)
  }
}

function numberStep(layout: string, letter: string, isLittle: boolean): Step {
  const lower = letter.toLowerCase()
  if (!Object.hasOwn(SIZES, lower)) throw usageError(`unpack '${layout}': '${letter}' is not known`, 'there are b h i q, B H I Q, c . s x < > and $')
  const size = SIZES[lower]
  return (bytes) => {
    if (bytes.length < size) return { text: `%!(have ${bytes.length} bytes, need ${size})`, size: bytes.length }
    const taken = Buffer.from(bytes.subarray(0, size))
    const number = BigInt(`0x${(isLittle ? taken.reverse() : taken).toString('hex')}`)
    return { text: String(letter === lower ? BigInt.asIntN(8 * size, number) : number), size }
  }
}
