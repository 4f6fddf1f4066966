// The commands by name: what the help, the manual pages, completion and the way from words to a command have in common.

import type { Command } from '@oclif/core/command'

export interface CommandEntry {
  readonly summary: string
  readonly command: Command.Class
}

/** By id: `topics`, `broker:run`. In the order in which help lists them. */
export type CommandTable = ReadonlyMap<string, CommandEntry>
