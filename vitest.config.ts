import { defineConfig } from 'vitest/config'

const project = (name: string, testTimeout: number, folder = name) => ({
  test: {
    name,
    root: `${import.meta.dirname}/test/${folder}`,
    include: ['**/*.test.ts'],
    testTimeout,
    hookTimeout: testTimeout,
  },
})

export default defineConfig({
  test: {
    pool: 'forks',
    projects: [
      project('engine', 60_000),
      project('interop', 180_000),
      project('shop', 180_000),
      project('browser', 180_000),
      project('loadtest', 180_000),
    ],
  },
})
