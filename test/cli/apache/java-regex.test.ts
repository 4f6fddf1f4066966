import { describe, expect, it } from 'vitest'
import { JavaError } from '../../../src/cli/apache/java-errors.ts'
import { javaFinder, javaMatcher, javaPattern } from '../../../src/cli/apache/java-regex.ts'

// Measured with java.util.regex.Pattern of JDK 17.
describe('what Java refuses', () => {
  it.each([
    ['*', 'Dangling meta character \'*\' near index 0'], ['a**', 'Dangling meta character \'*\' near index 2'],
    ['+', 'Dangling meta character \'+\' near index 0'], ['?', 'Dangling meta character \'?\' near index 0'],
    ['|*', 'Dangling meta character \'*\' near index 1'], ['(*)', 'Dangling meta character \'*\' near index 1'],
    ['a|+', 'Dangling meta character \'+\' near index 2'], ['[', 'Unclosed character class near index 0'],
    ['a[b', 'Unclosed character class near index 2'], ['[]', 'Unclosed character class near index 1'],
    ['[^]', 'Unclosed character class near index 2'], ['[a-', 'Illegal character range near index 3'],
    ['[z-a]', 'Illegal character range near index 3'], ['[a&&[b]', 'Unclosed character class near index 6'],
    ['[a&&', 'Unclosed character class near index 3'], ['(', 'Unclosed group near index 1'],
    ['a(b', 'Unclosed group near index 3'], ['(?', 'Unknown inline modifier near index 2'],
    ['(?<', 'capturing group name does not start with a Latin letter near index 3'],
    ['(?<n', 'named capturing group is missing trailing \'>\' near index 4'], ['(?<n>', 'Unclosed group near index 5'],
    ['(?P<n>x)', 'Unknown inline modifier near index 2'], ['(?z)x', 'Unknown inline modifier near index 2'],
    [')', 'Unmatched closing \')\''], ['a)', 'Unmatched closing \')\' near index 0'],
    ['a{', 'Illegal repetition near index 2'], ['a{1', 'Unclosed counted closure near index 3'],
    ['a{1,', 'Unclosed counted closure near index 4'], ['a{x}', 'Illegal repetition near index 2'],
    ['{', 'Illegal repetition near index 1'], ['a{2,1}', 'Illegal repetition range near index 5'],
    ['a{99999999999}', 'Illegal repetition range near index 11'],
    ['a{1,99999999999}', 'Illegal repetition range near index 13'], ['\\', 'Unexpected internal error near index 1'],
    ['a\\', 'Unexpected internal error near index 2'], ['\\q', 'Illegal/unsupported escape sequence near index 1'],
    ['\\pX', 'Unknown character property name {X} near index 2'], ['\\p{', 'Unclosed character family near index 3'],
    ['\\p{X}', 'Unknown character property name {X} near index 4'], ['\\p{Alpha', 'Unclosed character family near index 8'],
    ['\\x', 'Illegal hexadecimal escape sequence near index 2'],
    ['\\xg', 'Illegal hexadecimal escape sequence near index 2'], ['\\u', 'Illegal Unicode escape sequence near index 2'],
    ['\\u12', 'Illegal Unicode escape sequence near index 4'], ['\\c', 'Illegal control escape sequence near index 1'],
    ['\\k', '\\k is not followed by \'<\' for named capturing group near index 2'],
    ['\\k<', 'capturing group name does not start with a Latin letter near index 3'],
    ['\\k<n>', 'named capturing group <n> does not exist near index 4'], ['[\\', 'Unclosed character class near index 2'],
    ['[\\q]', 'Illegal/unsupported escape sequence near index 2'], ['[a\\]', 'Unclosed character class near index 3'],
    ['a***', 'Dangling meta character \'*\' near index 2'], ['a+++', 'Dangling meta character \'+\' near index 3'],
    ['a?*', 'Dangling meta character \'*\' near index 2'], ['(?i)*', 'Dangling meta character \'*\' near index 4'],
    ['(?=*)', 'Dangling meta character \'*\' near index 3'], ['[a-\\d]', 'Illegal character range near index 4'],
    ['a{,3}', 'Illegal repetition near index 2'], ['(?:', 'Unclosed group near index 3'],
    ['(?!', 'Unclosed group near index 3'], ['(?<=', 'Unclosed group near index 4'],
    ['(?<!', 'Unclosed group near index 4'], ['(?>', 'Unclosed group near index 3'],
    ['(?i', 'Unknown inline modifier near index 3'], ['(?i:', 'Unclosed group near index 4'],
    ['[[a]', 'Unclosed character class near index 3'], ['[&&]', 'Bad class syntax near index 2'],
    ['\\0', 'Illegal octal escape sequence near index 2'], ['(a', 'Unclosed group near index 2'],
    ['((a)', 'Unclosed group near index 4'], ['(a))', 'Unmatched closing \')\' near index 2'],
    ['[[[', 'Unclosed character class near index 2'], ['a{1}?+', 'Dangling meta character \'+\' near index 5'],
    ['a{1}*', 'Dangling meta character \'*\' near index 4'], ['**', 'Dangling meta character \'*\' near index 0'],
    ['*a', 'Dangling meta character \'*\' near index 0'], ['*orders', 'Dangling meta character \'*\' near index 0'],
    ['or[ders', 'Unclosed character class near index 6'], ['or(ders', 'Unclosed group near index 7'],
    ['orders)', 'Unmatched closing \')\' near index 5'], ['a{b', 'Illegal repetition near index 2'],
    ['back\\', 'Unexpected internal error near index 5'],
    ['(?<n>a)(?<n>b)', 'Named capturing group <n> is already defined near index 11'],
    ['(?<1>a)', 'capturing group name does not start with a Latin letter near index 3'],
    ['(?\'n\'a)', 'Unknown inline modifier near index 2'], ['(?#c)', 'Unknown inline modifier near index 2'],
    ['\\E', 'Illegal/unsupported escape sequence near index 1'],
    ['a\\Eb', 'Illegal/unsupported escape sequence near index 2'],
    ['\\x{110000}', 'Hexadecimal codepoint is too big near index 8'],
    ['\\xA', 'Illegal hexadecimal escape sequence near index 3'],
  ])('%s: %s', (pattern, complaint) => {
    const at = /(?<= near index )\d+$/.exec(complaint)?.[0]
    const pointer = at !== undefined && Number(at) < pattern.length ? `\n${' '.repeat(Number(at))}^` : ''
    expect(() => javaPattern(pattern)).toThrow(new JavaError('java.util.regex.PatternSyntaxException', `${complaint}\n${pattern}${pointer}`))
  }) // prettier-ignore
})

describe('what Java takes', () => {
  it.each([
    '[a-]', '[[:alpha:]]', '[]a]', '{1}', 'a{3}{2}', '\\Q', '\\1', '(a)\\2', '^*', '$+', '\\b*', '(?<=a*)b', '(?<=a+)b',
    '[\\d-a]', 'a]', 'a}', ']', '}', 'a\\-b', '\\_', '\\@', 'x{0}', '(?-i)a', '(?x) a', '[a]]', '[a&&b]', '[&&a]', '\\R',
    '\\X', '\\G', '\\Z', '\\07', '\\e\\a', 'a|', '|', '()', 'orders*', 'é*', '[a-z&&[^x]]', '\\Qa', '\\cA', '\\h\\H\\v\\V',
    '\\p{IsAlphabetic}', '\\p{L}', '\\pL', '\\P{Lu}', '\\p{javaLowerCase}', '\\x{41}',
  ])('%s', (pattern) => {
    expect(() => javaPattern(pattern)).not.toThrow()
  }) // prettier-ignore
})

describe('what is matched', () => {
  it.each([
    ['a\\-b', 'a-b', true], ['ord[a-z&&[^x]]rs', 'orders', true], ['ord[a-z&&[^e]]rs', 'orders', false], ['(?i)ORDERS', 'orders', true],
    ['\\Qa.b\\E+', 'a.bb', true], ['\\Qa.b\\E', 'axb', false], ['\\p{Alpha}+', 'orders', true], ['o++rders', 'orders', true], ['\\Aorders\\z', 'orders', true],
    ['(?<x>o)r\\k<x>', 'oro', true], ['(a)(b)\\2\\1', 'abba', true], ['[]a]+', 'a]a', true], ['[^\\w.]', '-', true], ['[a-cx-]+', 'c-x', true],
    ['(?!a|b).*', 'axes', false], ['(?!a|b).*', 'orders', true], ['a{2,3}?', 'aaa', true], ['\\x6f\\u0072\\x{64}', 'ord', true], ['a}', 'a}', true],
    ['orders', 'my-orders', false], ['a|b', 'b', true], ['', '', true], ['[[a-c]x]+', 'cax', true], ['\\_', '_', true], ['é+', 'éé', true],
  ])('%s, %s: %s', (pattern, text, isMatch) => {
    expect(javaPattern(pattern).test(text)).toBe(isMatch)
    expect(javaMatcher(pattern)(text)).toBe(isMatch)
  }) // prettier-ignore

  it('is found anywhere, group or not', () => {
    expect([...'a, b;c'.matchAll(javaFinder('([,;]) *'))].map(([match]) => match)).toEqual([', ', ';'])
  })
})
