import { expect, test } from 'vitest'
import { javaDateTime, javaDuration } from '../../../src/cli/apache/java-time.ts'

test.each([
  ['2023-11-14T22:13:20.000', 1_700_000_000_000],
  ['2023-11-14T22:13:20.000Z', 1_700_000_000_000],
  ['2023-11-15T00:13:20.5+02:00', 1_700_000_000_005],
  ['2023-11-15T00:13:20.000+02', 1_700_000_000_000],
  ['2023-11-14T17:13:20.000-0530', 1_699_999_999_000 + 1000 - 30 * 60_000 + 30 * 60_000], // the minutes are left over
  ['2023-1-2T3:4:5.006 ', undefined],
  ['2023-02-30T00:00:00.000', undefined],
  ['2023-11-14T24:00:00.000', undefined],
  ['2023-11-14T22:13:20', undefined],
  ['2023-11-14 22:13:20.000', undefined],
])('datetime %s', (text, expected) => {
  if (expected !== undefined) expect(javaDateTime(text)).toBe(expected)
  else expect(() => javaDateTime(text)).toThrow(/^(Unparseable date: "|Error parsing timestamp\.)/)
})

test.each([
  ['PT1H', 3_600_000],
  ['P1D', 86_400_000],
  ['p1dt2h3m4.5s', 93_784_500],
  ['-PT1M', -60_000],
  ['PT-1M', -60_000],
  ['PT', undefined],
  ['P', undefined],
  ['1h', undefined],
  ['P1W', undefined],
])('duration %s', (text, expected) => {
  if (expected !== undefined) expect(javaDuration(text)).toBe(expected)
  else expect(() => javaDuration(text)).toThrow('Text cannot be parsed to a Duration')
})
