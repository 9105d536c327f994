import { Info2 } from '../protocol/message.ts'
import { ResultCode } from '../values/result-code.ts'

/** Requests by their outcome. */
export interface NamespaceCounters {
  client_read_success: number
  client_read_error: number
  client_read_not_found: number
  client_read_filtered_out: number
  client_write_success: number
  client_write_error: number
  client_write_filtered_out: number
  client_delete_success: number
  client_delete_error: number
  client_delete_not_found: number
  client_delete_filtered_out: number
}

export const newCounters = (): NamespaceCounters => ({
  client_read_success: 0,
  client_read_error: 0,
  client_read_not_found: 0,
  client_read_filtered_out: 0,
  client_write_success: 0,
  client_write_error: 0,
  client_write_filtered_out: 0,
  client_delete_success: 0,
  client_delete_error: 0,
  client_delete_not_found: 0,
  client_delete_filtered_out: 0,
})

export function countRequest(counters: NamespaceCounters, info2: number, code: ResultCode): void {
  const filtered = code === ResultCode.FILTERED_OUT
  if ((info2 & Info2.WRITE) === 0) {
    if (code === ResultCode.OK) counters.client_read_success++
    else if (code === ResultCode.NOT_FOUND) counters.client_read_not_found++
    else if (filtered) counters.client_read_filtered_out++
    else counters.client_read_error++
  } else if (info2 & Info2.DELETE) {
    if (code === ResultCode.OK) counters.client_delete_success++
    else if (code === ResultCode.NOT_FOUND) counters.client_delete_not_found++
    else if (filtered) counters.client_delete_filtered_out++
    else counters.client_delete_error++
  } else if (code === ResultCode.OK) counters.client_write_success++
  else if (filtered) counters.client_write_filtered_out++
  else counters.client_write_error++
}
