import { expect, test } from 'vitest'
import { csvCell, parsePlan } from '../../../src/cli/apache/csv-plan.ts'
import type { FaceIo } from '../../../src/cli/apache/face.ts'

function read(text: string, onlyGroup: string | undefined = 'g') {
  let said = ''
  const io = { err: (line: string) => void (said += line) } as unknown as FaceIo
  return { rows: parsePlan(text, onlyGroup, io).map(({ group, topic, partition, offset }) => [group, topic, partition, offset]), said }
}

test('lines of one group may leave it out', () => {
  expect(read('orders,0,5\n"a,b","1"," 7"\r\n')).toEqual({ rows: [['g', 'orders', 0, 5], ['g', 'a,b', 1, 7]], said: '' }) // prettier-ignore
  expect(read('orders\n').rows).toEqual([['g', 'orders', 0, 0]])
})

test('with the group in front, the first line is complained about', () => {
  const { rows, said } = read('g,orders,0,5\nh,orders,1,6\n')
  expect(rows).toEqual([['g', 'orders', 0, 5], ['h', 'orders', 1, 6]]) // prettier-ignore
  expect(said).toBe(
    'com.fasterxml.jackson.databind.exc.InvalidFormatException: Cannot deserialize value of type `int` from String "orders": not a valid `int` value\n' +
      ' at [Source: (StringReader); line: 1, column: 3] (through reference chain: org.apache.kafka.tools.consumer.group.CsvUtils$CsvRecordNoGroup["partition"])\n',
  )
  expect(read('g,orders,0,5', undefined).rows).toEqual([['g', 'orders', 0, 5]])
})

test.each([
  ['orders,0,1\norders,0,1,2,3', /Too many entries: expected at most 3 \(value #3 \(1 chars\) "2"\)\n at \[Source: \(StringReader\); line: 1, column: 12\]/],
  ['orders,0,1\n\norders,1,1', /No content to map due to end-of-input/],
  ['orders,0,1\n"orders,0', /Missing closing quote for value/],
  ['orders,0,-1', /^Invalid negative offset$/],
  ['orders,0,1\norders,99999999999,1', /Numeric value \(99999999999\) out of range of int/],
])('%j is refused', (text, why) => {
  expect(() => read(text)).toThrow(why)
})

test('cells are quoted as Jackson quotes them', () => {
  expect(csvCell('orders.new-1_x')).toBe('orders.new-1_x')
  expect(csvCell('a'.repeat(25))).toBe(`"${'a'.repeat(25)}"`)
  expect(csvCell('say "a,b"')).toBe('"say ""a,b"""')
})
