// `ktool log verify`: whether the files of partitions are sound.

import * as Flags from '@oclif/core/flags'
import { KtoolCommand } from '../../src/cli/base-command.ts'
import { operationError } from '../../src/cli/errors.ts'
import type { Verified } from '../../src/cli/offline/verify.ts'
import { bytesText } from '../../src/cli/quantities.ts'
import type { WordRules } from '../../src/cli/words.ts'

export default class LogVerify extends KtoolCommand {
  static override words: WordRules = { argument: 'file' }

  static override description =
    'Checks the checksums of batches, the order of offsets, the records, and whether indexes and snapshots go with their log. ' +
    'Nothing is changed. A directory stands for the files in it, or for those of its partitions. Exits 1 when something is ' +
    'wrong. Of a broker that runs, the end of a log may be in the middle of a write.'

  static override usage = ['log verify FILE|DIR…']

  static override examples = [
    { description: 'All of a data directory', command: 'ktool log verify ~/.local/share/ktool' },
    { description: 'One partition', command: 'ktool log verify /tmp/kraft-combined-logs/orders-0' },
  ]

  static override flags = {
    file: Flags.string({ required: true, multiple: true, multipleNonGreedy: true, helpValue: 'FILE|DIR', summary: 'What to verify; may be given bare, and several times.' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(LogVerify)
    const { filesToVerify, verifyFile } = await import('../../src/cli/offline/verify.ts') // loaded when it is asked for
    const results: Verified[] = []
    const files = filesToVerify(flags.file)
    if (files.length === 0) throw operationError('NO_FILE', `no log files in ${flags.file.join(', ')}`)
    for (const file of files) {
      const result = await verifyFile(file)
      results.push(result)
      if (this.output.isJson) this.output.json(result)
    }
    const bad = results.filter(({ problems }) => problems.length > 0)
    if (!this.output.isJson) {
      const columns = [{ heading: 'file' }, { heading: 'size', align: 'right' }, { heading: 'batches', align: 'right' }, { heading: 'records', align: 'right' }, { heading: 'found' }] as const
      await this.output.table(columns, results.flatMap(rowsOf))
    }
    if (bad.length > 0) throw operationError('DAMAGED', `${bad.length} of ${results.length} files are not sound`)
  }
}

function rowsOf({ file, bytes, batches, records, problems }: Verified): string[][] {
  const [first = 'sound', ...others] = problems
  const numbers = [bytesText(bytes), batches === undefined ? '' : String(batches), records === undefined ? '' : String(records)]
  return [[file, ...numbers, first], ...others.map((problem) => ['', '', '', '', problem])]
}
