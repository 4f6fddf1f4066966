import { defineConfig } from 'vitest/config'

// What needs foreign programs (Apache Kafka and its tools, kcat, Python clients): one file after another.
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/conformance/**/*.test.ts'],
    environment: 'node',
    disableConsoleIntercept: true,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
    maxWorkers: 1,
  },
})
