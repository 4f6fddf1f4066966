import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { asArray, asInt, asLong, asObject, asString, fieldOf, jsonText, parseJson } from '../../../src/cli/apache/json.ts'

/** What the faces call: the first value of a text, whatever follows. */
function parsed(text: string) {
  const json = parseJson(text)
  if (json === undefined) throw new Error(`no JSON: ${text}`)
  return json
}

describe('JSON as Jackson reads it', () => {
  test('reads whatever JSON there is, and prints it compactly', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), fc.constantFrom('', ' ', '\n', '\t and more'), fc.boolean(), (value, rest, isSpaced) => {
        const text = JSON.stringify(value, undefined, isSpaced ? 2 : 0)
        expect(jsonText(parsed(text + rest))).toBe(JSON.stringify(value))
      }),
    )
  })

  test('takes no text that JSON.parse refuses, but for what follows a value', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('{}[]",:0123.-eEtruefalsn \\u')) }), (text) => {
        const json = parseJson(text)
        if (json === undefined) expect(() => JSON.parse(text) as unknown).toThrow()
        else if (jsonText(json) !== '') expect(() => JSON.parse(jsonText(json)) as unknown).not.toThrow()
      }),
    )
  })

  test.each(['', '{', '{"a" 1}', '[1 2]', '[1,]', '{"a":1,}', 'NaN', '01', "'a'", '"a', 'nul', '['.repeat(2000)])('refuses %j', (text) => {
    expect(parseJson(text)).toBeUndefined()
  })

  test('an integer is one by how it is written, and by its size', () => {
    expect(asInt(parsed('5'))).toBe(5)
    expect(asLong(parsed('-9223372036854775808'))).toBe(-(2 ** 63))
    for (const text of ['1.0', '1e3', '"1"', 'null', '2147483648']) expect(() => asInt(parsed(text))).toThrow(`Expected \`Integer\` value, received ${text}`)
    expect(() => asLong(parsed('9223372036854775808'))).toThrow('Expected `Long` value, received 9223372036854775808')
  })

  test('says what it wanted', () => {
    expect(() => asObject(parsed('[1, {"a": null}]'))).toThrow('Expected JSON object, received [1,{"a":null}]')
    expect(() => asObject(parsed(' '))).toThrow(/received $/)
    expect(() => asArray(parsed('{}'))).toThrow('Expected JSON array, received {}')
    expect(() => asString(parsed('5'))).toThrow('Expected `String` value, received 5')
    expect(() => fieldOf(asObject(parsed('{"b": 1}')), 'a')).toThrow('No such field exists: `a`')
  })
})
