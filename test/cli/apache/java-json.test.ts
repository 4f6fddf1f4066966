import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JavaError } from '../../../src/cli/apache/java-errors.ts'
import { asArray, asObject, field, type JsonNode, parseJson, toInt, toList, toLong, toText, tryParseJson } from '../../../src/cli/apache/java-json.ts'

function valueOf(node: JsonNode): unknown {
  switch (node.kind) {
    case 'object':
      return Object.fromEntries([...node.fields].map(([name, value]) => [name, valueOf(value)]))
    case 'array':
      return node.items.map(valueOf)
    case 'text':
      return node.text
    case 'missing':
      return undefined
    default:
      return JSON.parse(node.text)
  }
}

test('reads what JSON.stringify writes', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom('', ' ', ' and more'), (text, rest) => {
      expect(JSON.stringify(valueOf(parseJson(text + rest)))).toBe(JSON.stringify(JSON.parse(text)))
    }),
  )
})

test('gives a node or an error of Jackson for any text', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '"', '\\', '1', '-', '0', '.5', 'true', 'x', ' ', '\n')), (words) => {
      const text = words.join('')
      try {
        parseJson(text)
      } catch (error) {
        expect(error).toBeInstanceOf(JavaError)
      }
      expect(tryParseJson(text)?.kind).not.toBe('')
    }),
  )
})

describe('what is refused, in the words of Jackson', () => {
  const message = (run: () => unknown): string => {
    try {
      run()
    } catch (error) {
      return (error as Error).message.split('\n')[0]
    }
    return 'nothing'
  }

  test.each([
    ['', "The input string shouldn't be empty"],
    ['{a:1}', "Unexpected character ('a' (code 97)): was expecting double-quote to start field name"],
    ['{"a" 1}', "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value"],
    ['[1 2]', "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries"],
    ['yes', "Unrecognized token 'yes': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"],
  ])('%j', (text, expected) => {
    expect(message(() => parseJson(text))).toBe(expected)
  })

  test('types that are others than wanted', () => {
    const fields = asObject(parseJson('{"n": 1.0, "big": 3000000000, "list": ["a"]}'))
    expect(message(() => toInt(field(fields, 'n')))).toBe('Expected `Integer` value, received 1.0')
    expect(message(() => toInt(field(fields, 'big')))).toBe('Expected `Integer` value, received 3000000000')
    expect(message(() => toText(field(fields, 'n')))).toBe('Expected `String` value, received 1.0')
    expect(message(() => toList(field(fields, 'list'), toInt))).toBe('Expected `Integer` value, received "a"')
    expect(message(() => asArray(field(fields, 'n')))).toBe('Expected JSON array, received 1.0')
    expect(message(() => field(fields, 'none'))).toBe('No such field exists: `none`')
  })
})

/** What the faces call: the first value of a text, whatever follows. */
function parsed(text: string) {
  const json = tryParseJson(text)
  if (json === undefined) throw new Error(`no JSON: ${text}`)
  return json
}

test.each(['', '{', '{"a" 1}', '[1 2]', '[1,]', '{"a":1,}', 'NaN', '01', "'a'", '"a', 'nul', '['.repeat(2000)])('refuses %j', (text) => {
  expect(tryParseJson(text)).toBeUndefined()
})

test('an integer is one by how it is written, and by its size', () => {
  expect(toInt(parsed('5'))).toBe(5)
  expect(toLong(parsed('-9223372036854775808'))).toBe(-(2 ** 63))
  for (const text of ['1.0', '1e3', '"1"', 'null', '2147483648']) expect(() => toInt(parsed(text))).toThrow(`Expected \`Integer\` value, received ${text}`)
  expect(() => toLong(parsed('9223372036854775808'))).toThrow('Expected `Long` value, received 9223372036854775808')
})

test('says what it wanted', () => {
  expect(() => asObject(parsed('[1, {"a": null}]'))).toThrow('Expected JSON object, received [1,{"a":null}]')
  expect(() => asObject(parsed(' '))).toThrow(/received $/)
  expect(() => asArray(parsed('{}'))).toThrow('Expected JSON array, received {}')
  expect(() => toText(parsed('5'))).toThrow('Expected `String` value, received 5')
  expect(() => field(asObject(parsed('{"b": 1}')), 'a')).toThrow('No such field exists: `a`')
})
