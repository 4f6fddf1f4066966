// The commands that do one of several things, said by a flag each (`--list`, `--describe`): which of them is meant, and
// whether the other flags go with it.

import { canAsk, choose } from './ask.ts'
import { usageError } from './errors.ts'
import type { Output } from './output.ts'

/** Flags that belong to some of the actions only. */
export type Belongings<Action extends string> = Readonly<Record<string, readonly Action[]>>

/**
 * The action that is asked for; without one a person is asked. `isGiven` tells of a flag whether it was said. Throws a
 * usage error for several actions, for none, and for a flag of another.
 */
export async function chosenAction<Action extends string>(
  command: string,
  actions: readonly Action[],
  belongings: Belongings<Action>,
  isGiven: (flag: string) => boolean,
  output: Output,
): Promise<Action> {
  const asked = actions.filter(isGiven)
  if (asked.length > 1) throw usageError(`only one of ${asked.map((action) => `--${action}`).join(' and ')} can be done at a time`)
  const action = asked.at(0)
  if (action === undefined) {
    if (canAsk(output)) return (await choose('What should be done?', actions)) as Action
    throw usageError(`say what to do: ${actions.map((each) => `--${each}`).join(', ')}`, `see \`ktool ${command} --help\``)
  }
  const stray = Object.entries(belongings).find(([flag, those]) => isGiven(flag) && !those.includes(action))
  if (stray !== undefined) throw usageError(`--${stray[0]} does not go with --${action}`, `see \`ktool ${command} --help\``)
  return action
}

/** Whether a flag was said, as far as its parsed value tells: one with a default looks as if it always was. */
export function saidIn(flags: Readonly<Record<string, unknown>>): (flag: string) => boolean {
  return (flag) => flags[flag] !== undefined && flags[flag] !== false
}
