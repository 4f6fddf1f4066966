import { expect, test } from 'vitest'
import { LatencyStats, type Window } from '../../../src/cli/verbs/perf-stats.ts'

const run = (latencyMs: number, records: number) => ({ latencyMs, records, bytes: 10 * records, isSteady: false })

test('percentiles are those of the sorted latencies of all records', () => {
  const stats = new LatencyStats(0, 1000, () => {})
  stats.record(run(5, 1), 10)
  stats.record(run(1, 98), 10)
  stats.record(run(9, 1), 10)
  const latencies = [...Array<number>(98).fill(1), 5, 9]
  for (const share of [0, 0.5, 0.95, 0.979, 0.98, 0.99, 0.999]) expect(stats.percentile(share)).toBe(latencies[Math.floor(share * 100)])
  expect(stats.total).toEqual({ records: 100, bytes: 1000, latencyMs: 112, maxLatencyMs: 9 })
})

test('a window ends with the first record that comes late enough, and the next one begins empty', () => {
  const windows: [Window, number][] = []
  const stats = new LatencyStats(100, 50, (window, elapsedMs) => windows.push([window, elapsedMs]))
  stats.record(run(1, 2), 149)
  stats.record(run(3, 1), 160)
  stats.record(run(2, 1), 200)
  expect(windows).toEqual([[{ records: 3, bytes: 30, latencyMs: 5, maxLatencyMs: 3 }, 60]])
  expect(stats.total.records).toBe(4)
})

test('without records there is no latency', () => {
  expect(new LatencyStats(0, 1, () => {}).percentile(0.5)).toBe(0)
})
