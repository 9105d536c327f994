/** What `exp` makes: for filters, for steps that read or write what an expression gives, and inside others. */
export class Expression {
  /** As the protocol has it. */
  readonly encoded: Buffer

  constructor(encoded: Buffer) {
    this.encoded = encoded
  }
}
