// The differential suite: the same invocations of one tool by Apache's tool and by our face, on Apache Kafka and on our
// broker. `<tool>.play.ts` beside this file exports `play`; `<tool>.answers.json` has what Apache's tool said on Apache's
// broker, masked (support/masks.ts). To add a case:
//   1. add a step to the play (a new play is found by its name),
//   2. KTOOL_RECORD=1 npm run conformance -- tools/tools -t kafka-topics    records what Apache says; read it in the diff,
//   3. npm run conformance -- tools/tools -t kafka-topics                   all columns; `-t 'kafka-topics ours'` just the last.
// Columns: 'apache' (Apache's tool on Apache), 'face' (our face on Apache), 'broker' (Apache's tool on our broker), 'ours'.
// KTOOL_SHOW=1 prints what was said. Without Java only 'ours' runs, against the recorded answers.

import type { KafkaTool } from '../support/peers.ts'

export interface Play {
  readonly tool: KafkaTool
  /** Where `--bootstrap-server ADDRESS` goes that each step gets: before (as is usual) or behind its words; 'none': nowhere. */
  readonly address?: 'first' | 'last' | 'none'
  /** KEY=VALUE of both brokers. */
  readonly properties?: readonly string[]
  /** Written before the first step; steps name them DIR/name. It is the working directory too. */
  readonly files?: Readonly<Record<string, string>>
  /** No broker is needed: the columns 'apache' and 'ours' only. */
  readonly isOffline?: boolean
  /** For every step, before its own. */
  readonly mask?: Mask
  /** One after the other, against a cluster that is new. */
  readonly steps: readonly (string | readonly string[] | Step | Act)[]
}

export interface Mask {
  readonly why: string
  readonly apply: (text: string) => string
}

export interface Step {
  /**
   * What follows the tool's name: a list of words, or a string with '…', "…", $'…' (\t \n \' \\) and \ as in a shell.
   * ADDRESS stands for HOST:PORT of the cluster, DIR for the directory of the files, DATA for the broker's log directory.
   */
  readonly words: string | readonly string[]
  /** Another tool than the play's. */
  readonly tool?: KafkaTool
  /** Without `--bootstrap-server ADDRESS`. */
  readonly bare?: boolean
  /** Standard input; without it there is nothing to read. */
  readonly input?: string
  /** For a step that has a JVM of its own then. */
  readonly env?: Readonly<Record<string, string>>
  /** In a JVM of its own: for a tool with static state, or one that leaves clients open. */
  readonly isAlone?: boolean
  readonly mask?: Mask
  /** Lines come in the order of a hash map. */
  readonly isUnordered?: boolean
  /** Standard output has JSON (whole, or in lines) whose keys come in hash order; 'unordered': whose arrays do too. */
  readonly json?: true | 'unordered'
  /** A difference that stays, and why: of our face, of our broker, or only where both are ours. It must still be there. */
  readonly allowed?: { readonly face?: string; readonly broker?: string; readonly ours?: string }
  /** A spelling that Apache 4.3 no longer knows: only our face gets these words. */
  readonly old?: OldSpelling
  /** How long it may take; 30 s. */
  readonly timeoutMs?: number
}

export interface OldSpelling {
  /** What Apache's tool is given instead, and whose answer is expected. Without it Apache does nothing at this step. */
  readonly sameAs?: string | readonly string[]
  /** Of `sameAs`, when another. */
  readonly tool?: KafkaTool
  /** Of our broker alone: the words mean the broker on this machine, which must be one of ours. */
  readonly isLocal?: boolean
  /** A line more, in front of stderr. */
  readonly says?: string
  /** Expected instead of Apache's answer. */
  readonly answer?: { readonly exit: number; readonly stdout?: string; readonly stderr?: string }
}

/** What a face says of a loopback --zookeeper, for OldSpelling.says. */
export const ON_THIS_MACHINE = '--zookeeper localhost:2181 is taken for the broker on this machine: --bootstrap-server ADDRESS'

/** What no tool does: a member that joins, a transaction that stays open. What it returns is called behind the last step. */
export interface Act {
  readonly act: string
  readonly run: (cluster: { readonly address: string; readonly directory: string }) => Promise<(() => Promise<void>) | undefined>
}

/** The words of a line, as a shell would split it. */
export function wordsOf(line: string | readonly string[]): readonly string[] {
  if (typeof line !== 'string') return line
  const words: string[] = []
  const token = /\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\$'((?:[^'\\]|\\.)*)'|\\([\s\S])|([^\s'"\\$]+|\$)/gy
  let word: string | undefined
  let end = 0
  for (const match of line.matchAll(token)) {
    const [all = '', single, double, escaped, one, plain] = match as (string | undefined)[]
    end += all.length
    const part = single ?? double?.replaceAll(/\\(["\\$])/g, '$1') ?? escaped?.replaceAll(/\\(.)/g, unescaped) ?? one ?? plain
    if (part !== undefined) word = (word ?? '') + part
    else if (word !== undefined) {
      words.push(word)
      word = undefined
    }
  }
  if (end !== line.length) throw new Error(`an open quote: ${line}`)
  return word === undefined ? words : [...words, word]
}

function unescaped(_: string, letter: string): string {
  return new Map([['t', '\t'], ['n', '\n'], ['r', '\r'], ['0', '\0']]).get(letter) ?? letter
}
