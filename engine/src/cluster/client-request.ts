import { AnswerWriter } from '../protocol/answer-writer.ts'
import { ResponseBuffer } from '../protocol/response.ts'
import type { ResultCode } from '../values/result-code.ts'
import type { RequestFacts } from './copy-store.ts'

/** A client's request for one record. */
export interface ClientRequest {
  readonly namespace: string
  /** The body of the request's frame. */
  readonly request: Buffer
  readonly facts: RequestFacts
  /** When the client stops waiting. */
  readonly deadline: number
  readonly answer: (frame: Buffer) => void
  /** Nothing was done, and nobody here will: it is to be tried again. */
  readonly refuse: () => void
}

const bareAnswers = new Map<ResultCode, Buffer>()

/** An answer that is a code and nothing else: one frame for all who get it, to be read only. */
export function bareAnswer(code: ResultCode): Buffer {
  let frame = bareAnswers.get(code)
  if (!frame) {
    const out = new ResponseBuffer()
    new AnswerWriter(out).single(out, code, false)
    frame = Buffer.from(out.buffer.subarray(0, out.length))
    bareAnswers.set(code, frame)
  }
  return frame
}
