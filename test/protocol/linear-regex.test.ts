// Regexes of clients over names: RE2's syntax held against JavaScript's where both have it, refused where Kafka refuses it, and
// never slow. What is refused, Apache Kafka 4.3 was asked about.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KafkaError } from '../../src/protocol/errors.ts'
import { LinearRegex } from '../../src/protocol/linear-regex.ts'

const matches = (source: string, ...names: string[]) => [...new LinearRegex('SubscribedTopicRegex', source).matching(names)]

function refusal(source: string): string {
  try {
    new LinearRegex('SubscribedTopicRegex', source)
    return 'taken'
  } catch (error) {
    if (error instanceof KafkaError && error.error === 'INVALID_REGULAR_EXPRESSION') return error.message
    throw error
  }
}

test.each([
  ['t', 't', 'tt', 'xt'],
  ['t.*', 't', 'tt', 'x'],
  ['a|bc', 'a', 'bc', 'abc', 'ac'],
  ['(a|b)+c?', 'abba', 'c', 'bc', ''],
  ['[a-c.]{2,3}', 'a', 'a.', 'abc', 'abca'],
  ['[^a-c]\\d', 'd1', 'a1', 'x9'],
  ['(?i)orders', 'ORDERS', 'Orders', 'order'],
  ['(?i:o)rders', 'ORDERS', 'Orders', 'orders'],
  ['a(?i)b(?-i)c', 'aBc', 'abC', 'abc'],
  ['(?P<name>a)(?<other>b)', 'ab', 'a'],
  ['^a$', 'a', 'aa'],
  ['\\Aa\\z', 'a'],
  ['a\\.b', 'a.b', 'axb'],
  ['\\Qa.b\\E+', 'a.b', 'a.bb', 'axb'],
  ['.*\\bend', 'the-end', 'bend', 'end'],
  ['.*\\Bend', 'the-end', 'bend', 'end'],
  ['[[:upper:]]+', 'ABC', 'Abc'],
  ['\\p{Lu}\\P{Lu}', 'Aa', 'AA', 'aa'],
  ['\\pL+', 'ab', 'a1'],
  ['\\x61\\x{62}', 'ab'],
  ['a{,2}', 'a{,2}', 'aa'],
  ['é|a', 'a', 'e'],
  ['[]a]', ']', 'a'],
  ['', '', 'a'],
])('%s', (source, ...names) => {
  const ours = matches(source, ...names)
  expect(ours).toEqual(names.filter((name) => EXPECTED.get(source)?.includes(name) ?? asJavaScript(source).test(name)))
})

// Where JavaScript has no such syntax, or another meaning.
const EXPECTED: ReadonlyMap<string, readonly string[]> = new Map(Object.entries({
  '(?i)orders': ['ORDERS', 'Orders'],
  '(?i:o)rders': ['Orders', 'orders'],
  'a(?i)b(?-i)c': ['aBc', 'abc'],
  '(?P<name>a)(?<other>b)': ['ab'],
  '\\Aa\\z': ['a'],
  '\\Qa.b\\E+': ['a.b', 'a.bb'],
  '[[:upper:]]+': ['ABC'],
  '\\p{Lu}\\P{Lu}': ['Aa'],
  '\\pL+': ['ab'],
  '\\x61\\x{62}': ['ab'],
  '[]a]': [']', 'a'],
}))

function asJavaScript(source: string): RegExp {
  return new RegExp(`^(?:${source})$`)
}

const BEYOND_ASCII = ['ü', 'ÜÖ', 'éa', 'a-é', '結算', '結', '😀', '😀a', 'Ω', 'ω', 'a', '', '\u00a0', '\u212a']
test.each([
  '.', '.*', '..', 'é|a', 'ü', '[é-ü].?', '[^a]', '[^a-zÜ]+', '[^結]算', '[a結]算?', '\\W', '\\D\\W', '\\p{L}+', '\\P{L}', '[^\\p{Greek}]',
  '\\p{Lu}[\\P{Lu}a]*', '😀', '[😀-😂]a?', '.\\ba', 'a\\B-é', '\\x{3a9}', '\\pL', '\\w', '[\\d\\w]+',
])('%s, of what is beyond ASCII', (source) => { // prettier-ignore
  const inJavaScript = source.replace(/\\pL$/, '\\p{L}').replace('p{Greek}', 'p{Script=Greek}').replace('\\x{3a9}', '\\u{3a9}')
  const javaScript = new RegExp(`^(?:${inJavaScript})$`, 'u')
  expect(matches(source, ...BEYOND_ASCII)).toEqual(BEYOND_ASCII.filter((name) => javaScript.test(name)))
})

test('ignores case beyond ASCII, too', () => {
  expect(matches('(?i)[üω]ö?', ...BEYOND_ASCII)).toEqual(['ü', 'ÜÖ', 'Ω', 'ω'])
  expect(matches('(?i)[^üω]', 'ü', 'Ü', 'ö', 'Ω')).toEqual(['ö'])
})

test('is in none of the ASCII classes', () => {
  for (const source of ['[[:ascii:]]', '[[:print:]]', '\\w', '\\s', '\\d', '[[:alpha:]]']) expect(matches(source, 'é', '結', '\u00a0', '٣')).toEqual([])
  expect(matches('[[:^ascii:]]\\S', 'é\u00a0', 'aé')).toEqual(['é\u00a0'])
})

test('characters that are free are not counted, states are', () => {
  const names = Array.from({ length: 60_000 }, (_, at) => `${'a'.repeat(100)}${at}`)
  const free = names.join('').length
  const tried = (source: string, free: number) => new LinearRegex('Transaction ID pattern', source).matching(names, free).size
  expect(() => tried('a+\\d+', 0)).toThrow('Transaction ID pattern `a+\\d+` is not a valid regular expression: matching it takes too long.')
  expect(tried('a+\\d+', free)).toBe(names.length)
})

test('says the same as JavaScript of what both understand', () => {
  const atom = fc.constantFrom('a', 'b', '.', '\\w', '[ab]', '[^a]', '(?:a|b)', '\\.', '(?:ab)', '\\d', '^', '$', '\\b', '\\B')
  const repeat = fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,2}', '{0,1}', '*?', '{0}')
  const source = fc.array(fc.tuple(atom, repeat), { minLength: 1, maxLength: 6 }).map((parts) => {
    return parts.map(([one, times]) => (/^(\^|\$|\\[bB])$/.test(one) ? one : one + times)).join('')
  })
  const sources = fc.array(source, { minLength: 1, maxLength: 3 }).map((all) => all.join('|'))
  const names = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '.', '-', '1'), maxLength: 8 }), { minLength: 1, maxLength: 8 })
  fc.assert(fc.property(sources, names, (one, tried) => {
    expect(matches(one, ...tried)).toEqual([...new Set(tried)].filter((name) => asJavaScript(one).test(name)))
  }), { numRuns: 1000 }) // prettier-ignore
})

describe('is refused', () => {
  test.each([
    ['(', 'missing closing )'],
    ['a)', 'regexp/syntax: internal error'],
    ['[a', 'missing closing ]'],
    ['*a', 'missing argument to repetition operator'],
    ['a**', 'invalid nested repetition operator'],
    ['a{2}{3}', 'invalid nested repetition operator'],
    ['a{1001}', 'invalid repeat count'],
    ['a{3,2}', 'invalid repeat count'],
    ['\\', 'trailing backslash at end of expression'],
    ['\\8', 'invalid escape sequence'],
    ['(a)\\1', 'invalid escape sequence'],
    ['[b-a]', 'invalid character class range'],
    ['a(?=b)', 'invalid or unsupported Perl syntax'],
    ['(?<!a)b', 'invalid named capture'],
  ])('%s', (source, why) => {
    expect(refusal(source)).toBe(`SubscribedTopicRegex \`${source}\` is not a valid regular expression: ${why}.`)
  })

  test('what is too large, or nests too deeply', () => {
    expect(refusal('((((a{1000}){1000}){1000}){1000})')).toContain('it is too large')
    expect(refusal('(((((){1000}){1000}){1000}){1000})')).toContain('it is too large')
    expect(refusal('('.repeat(100_000))).toContain('nests too deeply')
  })
})

describe('takes no time', () => {
  const names = Array.from({ length: 2000 }, (_, at) => `${'a'.repeat(200)}-${at}`)

  test.each(['(a*)*b', '(a|a)*b', '(.*a){20}b', '(a?){200}a{200}', '(.*)(.*)(.*)(.*)(.*)b', '(x+x+)+y'])('%s', (source) => {
    const start = performance.now()
    try {
      new LinearRegex('SubscribedTopicRegex', source).matching(names)
    } catch (error) {
      expect(error).toBeInstanceOf(KafkaError)
    }
    expect(performance.now() - start).toBeLessThan(1000)
  })

  test('whatever it is made of', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom('(', ')', '[', ']', '*', '+', '{9}', '|', 'a', '.', '\\', '?', '^', '-', ':'), maxLength: 40 }), (source) => {
      const start = performance.now()
      try {
        new LinearRegex('SubscribedTopicRegex', source).matching(names.slice(0, 50))
      } catch (error) {
        expect(error).toBeInstanceOf(KafkaError)
      }
      expect(performance.now() - start).toBeLessThan(500)
    }), { numRuns: 2000 }) // prettier-ignore
  })

  test('a thousand names, one of them this', () => {
    const source = Array.from({ length: 1000 }, (_, at) => `some\\.topic\\.name\\.${at}`).join('|')
    expect(matches(source, 'some.topic.name.77', 'some.topic.name.1000')).toEqual(['some.topic.name.77'])
  })
})
