import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    exclude: ['test/conformance/**', 'test/bench/**'],
    environment: 'node',
    globalSetup: ['test/support/build.ts'],
    disableConsoleIntercept: true, // oclif's output would be lost
    restoreMocks: true,
    testTimeout: 20_000,
    // Two cores: the tests that spawn processes need the second one.
    maxWorkers: 2,
  },
})
