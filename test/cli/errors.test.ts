// How errors from below reach a person: one line, and an exit code that says whose fault it is.

import { expect, test } from 'vitest'
import { failureLine, failureOf } from '../../src/cli/errors.ts'
import { ProtocolError } from '../../src/protocol/errors.ts'

test('a broker that answers nonsense is to blame, not ktool', () => {
  const failure = failureOf(new ProtocolError('127.0.0.1:9092 answered Metadata version 13 with nonsense: array of 9 elements'))
  expect(failure).toMatchObject({ code: 'PROTOCOL', exitCode: 3 })
  expect(failureLine(failure)).not.toContain('defect')
})
