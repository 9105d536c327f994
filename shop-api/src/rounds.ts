/**
 * Does a round of work again and again, with a pause in between, until it is stopped. A round that fails is told to
 * `onFailure` and does not end the series. The returned function waits for the round that runs.
 */
export function startRounds(
  work: () => Promise<unknown>,
  pauseMs: number,
  onFailure: (error: unknown) => void,
): () => Promise<void> {
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let round: Promise<unknown> = Promise.resolve()
  const next = (): void => {
    if (stopped) return
    round = work()
      .catch(onFailure)
      .then(() => {
        if (!stopped) timer = setTimeout(next, pauseMs)
      })
  }
  next()
  return async () => {
    stopped = true
    clearTimeout(timer)
    await round
  }
}
