import { defineConfig } from 'vitest/config'

const project = (name: string, testTimeout: number, alone = {}) => ({
  test: {
    name,
    root: `${import.meta.dirname}/test/${name}`,
    include: ['**/*.test.ts'],
    testTimeout,
    hookTimeout: testTimeout,
    ...alone,
  },
})

export default defineConfig({
  test: {
    pool: 'forks',
    projects: [
      project('engine', 60_000),
      // Pure computation, so both of two cores may work on it.
      project('simulation', 120_000, { maxWorkers: 2, sequence: { groupOrder: 3 } }),
      project('interop', 180_000),
      // Whole processes under load: after the others, one file at a time, or what is measured is the machine.
      project('cluster', 60_000, { maxWorkers: 1, sequence: { groupOrder: 2 } }),
      // A thousand buyers want the machine to themselves: after the others, one file at a time.
      project('shop', 420_000, { maxWorkers: 1, sequence: { groupOrder: 1 } }),
      project('browser', 180_000),
      project('loadtest', 180_000),
    ],
  },
})
