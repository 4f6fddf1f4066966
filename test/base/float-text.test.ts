import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { doubleText, floatText } from '../../src/base/float-text.ts'

describe('a floating point number', () => {
  it.each([
    [0, '0.0'], [-0, '-0.0'], [1, '1.0'], [0.001, '0.001'], [0.0001, '1.0E-4'], [1e7, '1.0E7'], [9999999, '9999999.0'],
    [1.5e300, '1.5E300'], [NaN, 'NaN'], [-Infinity, '-Infinity'], [123456.789, '123456.789'],
  ])('prints %d as Java does', (value, text) => {
    expect(doubleText(value)).toBe(text)
  }) // prettier-ignore

  it('prints floats with the digits they need', () => {
    expect(floatText(Math.fround(0.1))).toBe('0.1')
    expect(floatText(Math.fround(16777216))).toBe('1.6777216E7')
    expect(floatText(Math.fround(2.6100788e20))).toBe('2.6100788E20')
  })

  it('loses nothing', () => {
    fc.assert(fc.property(fc.double(), (value) => Object.is(Number(doubleText(value)), value)))
    fc.assert(fc.property(fc.float(), (value) => Object.is(Math.fround(Number(floatText(value))), value)))
  })
})
