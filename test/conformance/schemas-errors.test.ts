// The error table against Apache's own: the enum is asked, in a program of a few lines.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { errorMessage, errorName, isRetriable } from '../../src/protocol/errors.ts'
import { whySkipped } from './schemas-apache.ts'
import { java, output } from './support/peers.ts'

const PROGRAM = `
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.Errors;

public class Table {
  public static void main(String[] args) {
    for (Errors e : Errors.values())
      System.out.println(e.code() + "\\t" + e.name() + "\\t" + (e.exception() instanceof RetriableException) + "\\t" + e.message());
  }
}
`
if (whySkipped !== undefined) console.log(whySkipped)

test.skipIf(whySkipped !== undefined)('every error has the code, the name, the text and the retriability that Apache gives it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ktool-errors-'))
  try {
    const file = join(directory, 'Table.java')
    writeFileSync(file, PROGRAM)
    const theirs = output(java(), [file]).trimEnd().split('\n')
    const ours = theirs.map((line) => {
      const code = Number(line.split('\t')[0])
      return [code, errorName(code), isRetriable(code), errorMessage(code)].join('\t')
    })
    expect(ours).toEqual(theirs)
    expect(theirs.length).toBeGreaterThan(120)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
