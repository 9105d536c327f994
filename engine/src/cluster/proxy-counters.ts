import { FRAME_HEADER_BYTES, Info2 } from '../protocol/message.ts'
import { ResultCode } from '../values/result-code.ts'

/** Requests that went between nodes, by their outcome. The names are those of the real server's statistics. */
export interface ProxyCounters {
  client_proxy_complete: number
  client_proxy_error: number
  client_proxy_timeout: number
  batch_sub_proxy_complete: number
  batch_sub_proxy_error: number
  batch_sub_proxy_timeout: number
  from_proxy_read_success: number
  from_proxy_read_error: number
  from_proxy_read_timeout: number
  from_proxy_read_not_found: number
  from_proxy_read_filtered_out: number
  from_proxy_write_success: number
  from_proxy_write_error: number
  from_proxy_write_timeout: number
  from_proxy_write_filtered_out: number
  from_proxy_delete_success: number
  from_proxy_delete_error: number
  from_proxy_delete_timeout: number
  from_proxy_delete_not_found: number
  from_proxy_delete_filtered_out: number
  from_proxy_batch_sub_read_success: number
  from_proxy_batch_sub_read_error: number
  from_proxy_batch_sub_read_timeout: number
  from_proxy_batch_sub_read_not_found: number
  from_proxy_batch_sub_read_filtered_out: number
  from_proxy_batch_sub_write_success: number
  from_proxy_batch_sub_write_error: number
  from_proxy_batch_sub_write_timeout: number
  from_proxy_batch_sub_write_filtered_out: number
  from_proxy_batch_sub_delete_success: number
  from_proxy_batch_sub_delete_error: number
  from_proxy_batch_sub_delete_timeout: number
  from_proxy_batch_sub_delete_not_found: number
  from_proxy_batch_sub_delete_filtered_out: number
}

export const newProxyCounters = (): ProxyCounters => ({
  client_proxy_complete: 0,
  client_proxy_error: 0,
  client_proxy_timeout: 0,
  batch_sub_proxy_complete: 0,
  batch_sub_proxy_error: 0,
  batch_sub_proxy_timeout: 0,
  from_proxy_read_success: 0,
  from_proxy_read_error: 0,
  from_proxy_read_timeout: 0,
  from_proxy_read_not_found: 0,
  from_proxy_read_filtered_out: 0,
  from_proxy_write_success: 0,
  from_proxy_write_error: 0,
  from_proxy_write_timeout: 0,
  from_proxy_write_filtered_out: 0,
  from_proxy_delete_success: 0,
  from_proxy_delete_error: 0,
  from_proxy_delete_timeout: 0,
  from_proxy_delete_not_found: 0,
  from_proxy_delete_filtered_out: 0,
  from_proxy_batch_sub_read_success: 0,
  from_proxy_batch_sub_read_error: 0,
  from_proxy_batch_sub_read_timeout: 0,
  from_proxy_batch_sub_read_not_found: 0,
  from_proxy_batch_sub_read_filtered_out: 0,
  from_proxy_batch_sub_write_success: 0,
  from_proxy_batch_sub_write_error: 0,
  from_proxy_batch_sub_write_timeout: 0,
  from_proxy_batch_sub_write_filtered_out: 0,
  from_proxy_batch_sub_delete_success: 0,
  from_proxy_batch_sub_delete_error: 0,
  from_proxy_batch_sub_delete_timeout: 0,
  from_proxy_batch_sub_delete_not_found: 0,
  from_proxy_batch_sub_delete_filtered_out: 0,
})

/** Where the second info byte and the result code of a message stand in its body. */
const INFO2_AT = 2
const CODE_AT = 5

/** Counts, where it was passed on, a request that is over; no answer means that its time was. */
export function countProxied(counters: ProxyCounters, isRow: boolean, answer: Buffer | undefined): void {
  const code = answer?.[FRAME_HEADER_BYTES + CODE_AT] ?? ResultCode.TIMEOUT
  const whose = isRow ? 'batch_sub_proxy' : 'client_proxy'
  if (code === ResultCode.TIMEOUT) counters[`${whose}_timeout`]++
  else if (isFailure(code)) counters[`${whose}_error`]++
  else counters[`${whose}_complete`]++
}

/** Counts, where it was served, a request that another node passed on. */
export function countFromProxy(
  counters: ProxyCounters,
  isRow: boolean,
  request: Buffer,
  answer: Buffer,
): void {
  const whose = isRow ? 'from_proxy_batch_sub' : 'from_proxy'
  const code = answer[FRAME_HEADER_BYTES + CODE_AT]
  const info2 = request[INFO2_AT]!
  const kind = (info2 & Info2.WRITE) === 0 ? 'read' : info2 & Info2.DELETE ? 'delete' : 'write'
  if (code === ResultCode.OK) counters[`${whose}_${kind}_success`]++
  else if (code === ResultCode.FILTERED_OUT) counters[`${whose}_${kind}_filtered_out`]++
  else if (code === ResultCode.TIMEOUT) counters[`${whose}_${kind}_timeout`]++
  else if (code === ResultCode.NOT_FOUND && kind !== 'write') counters[`${whose}_${kind}_not_found`]++
  else counters[`${whose}_${kind}_error`]++
}

/** The node and not the record is why it was not served. */
function isFailure(code: number): boolean {
  return (
    code === ResultCode.SERVER_ERROR ||
    code === ResultCode.PARTITION_UNAVAILABLE ||
    code === ResultCode.DEVICE_OVERLOAD
  )
}
