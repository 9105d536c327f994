const WIDTH = 30
const REDRAW_MS = 100

interface Terminal {
  write(text: string): unknown
  readonly isTTY?: boolean
}

/** A progress bar on a terminal; elsewhere one line for each tenth, so that logs stay readable. */
export class ProgressBar {
  readonly #out: Terminal
  readonly #label: string
  readonly #total: number
  readonly #now: () => number
  readonly #began: number
  #drawnAt = Number.NEGATIVE_INFINITY
  #tenth = 0

  constructor(out: Terminal, label: string, total: number, now: () => number) {
    this.#out = out
    this.#label = label
    this.#total = Math.max(1, total)
    this.#now = now
    this.#began = now()
  }

  readonly update = (done: number): void => {
    const share = Math.min(1, done / this.#total)
    if (this.#out.isTTY) {
      if (this.#now() - this.#drawnAt < REDRAW_MS) return
      this.#drawnAt = this.#now()
      this.#out.write(`\r${this.#line(share)}`)
    } else if (Math.floor(share * 10) > this.#tenth) {
      this.#tenth = Math.floor(share * 10)
      this.#out.write(`${this.#label} ${this.#tenth * 10} %\n`)
    }
  }

  end(): void {
    const seconds = ((this.#now() - this.#began) / 1000).toFixed(1)
    if (this.#out.isTTY) this.#out.write(`\r${this.#line(1)} in ${seconds} s\n`)
    else this.#out.write(`${this.#label} done in ${seconds} s\n`)
  }

  #line(share: number): string {
    const full = Math.round(share * WIDTH)
    return `${this.#label} [${'█'.repeat(full)}${' '.repeat(WIDTH - full)}] ${String(Math.floor(share * 100)).padStart(3)} %`
  }
}
