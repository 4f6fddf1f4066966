// With nobody at the address a test that waits has told enough.
/* global jest */
jest.setTimeout(6000)
