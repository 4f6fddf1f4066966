import { expect, test } from 'vitest'
import { simpleDateFormat } from '../../../src/cli/apache/java-dates.ts'

const at = new Date(2026, 10, 5, 13, 4, 9, 7).getTime() // a Thursday

test.each([
  ['yyyy-MM-dd HH:mm:ss:SSS', '2026-11-05 13:04:09:007'],
  ["EEE, d MMMM yy 'at' h 'o''clock' a", "Thu, 5 November 26 at 1 o'clock PM"],
  ['D u k K F', '309 4 13 1 1'],
  ["''", "'"],
])('%s', (pattern, text) => {
  expect(simpleDateFormat(pattern)(at)).toBe(text)
})

test('a letter that means nothing', () => {
  expect(() => simpleDateFormat('yyyy bb')).toThrow("Illegal pattern character 'b'")
})
