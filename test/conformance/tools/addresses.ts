// Addresses that can't be used: tools differ in where they fail then, and so in what they print around it.

import type { Step } from './play.ts'

/** `words`: all but the address. `before` stands in front of it. */
export function unusableAddresses(words: string, { before = '', tool }: { readonly before?: string; readonly tool?: Step['tool'] } = {}): Step[] {
  return ['nonsense', 'localhost:99999', '127.0.0.1:1,', "''"].map((address) => {
    return { words: `${before} --bootstrap-server ${address} ${words}`.trim(), bare: true, ...(tool === undefined ? {} : { tool }) }
  })
}
