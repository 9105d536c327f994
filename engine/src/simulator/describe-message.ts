/** Messages between nodes in words, for transcripts. */
import type { ClusterMessage } from '../cluster/cluster-node.ts'
import type { StreamEntry } from '../cluster/data-message.ts'
import { viewNumberOf } from '../cluster/regime.ts'
import type { StreamItem, StrongBody } from '../cluster/strong/message.ts'
import type { RecordContent } from '../cluster/strong/record-content.ts'
import type { StoredVersion } from '../cluster/stored-version.ts'
import { viewKey } from '../cluster/view-id.ts'

export function describeMessage(message: ClusterMessage): string {
  switch (message.kind) {
    case 'heartbeat':
      return 'heartbeat'
    case 'view': {
      const inner = message.message
      if (inner.kind === 'try' || inner.kind === 'tried') return `${inner.kind} ${inner.number}`
      const view = viewKey(inner.kind === 'commit' ? inner.record.id : inner.view)
      return inner.kind === 'refuse'
        ? `refuse ${view}, promised ${viewKey(inner.promised)}`
        : `${inner.kind} ${view}`
    }
    case 'proxy':
      return `proxy requests ${message.requests.map(({ id }) => id).join(' ')} in ${message.view}`
    case 'proxied':
      return message.answers
        .map(({ id, answer }) => (answer ? `answer to request ${id}` : `refuses request ${id}`))
        .join(', ')
    case 'metadata':
      return `metadata ${message.revision}: ${JSON.stringify(message.entries)}`
    case 'metadataKnown':
      return `has saved metadata ${message.revision}`
    case 'status':
      return `status: ${message.unsettled} unsettled, ${message.misplaced} misplaced`
    case 'recluster':
      return `asks for another view after ${message.view}`
    case 'wish':
      return `wish for ${message.wish.content.seats.map(({ id }) => id).join(' ')}`
    case 'strong':
      return [
        ...message.bodies.map(([partition, body]) => `p${partition} ${describeBody(body)}`),
        ...message.alike.map(
          ([partitions, body]) => `${partitions.length / 2} of them ${describeBody(body)}`,
        ),
      ].join('; ')
    case 'stream':
      return `p${message.partition} stream ${message.position}: ${message.entries.map(describeEntry).join(', ')}`
    case 'applied':
      return `p${message.partition} applied ${message.position}`
    case 'taken': {
      const versions = message.versions.map(describeVersion).join(', ')
      return `p${message.partition} taken: ${versions || 'nothing'}${message.next ? ', more' : ''}`
    }
    case 'ask':
      return `p${message.partition} ask for ${nameOf(message.digest)}`
    case 'told':
      return `p${message.partition} told ${message.version ? describeVersion(message.version) : nameOf(message.digest)}`
    default:
      return `p${message.partition} ${message.kind}`
  }
}

function describeBody(body: StrongBody<RecordContent>): string {
  switch (body.kind) {
    case 'held':
      return `held ${body.digests.length}`
    case 'unit':
      return `unit of ${body.unit.entries.length}`
    case 'stream':
      return `stream ${body.first}: ${body.items.map(describeItem).join(', ')}, acknowledged ${body.acknowledged}`
    case 'acknowledge':
      return `acknowledge ${body.item}${body.held ? `, held ${body.held.length}` : ''}`
    case 'confirm':
    case 'confirmed':
      return `${body.kind} ${body.round}`
    default:
      return body.kind
  }
}

function describeItem(item: StreamItem<RecordContent>): string {
  if (item.kind === 'truncation') return `truncation ${item.truncation.number} of ${item.truncation.set}`
  if (item.kind !== 'write') return item.kind
  const { digest, version } = item.write
  const { regime, sequence } = version.position
  const name = nameOf(Buffer.from(digest, 'latin1'))
  return `${name}${version.content === undefined ? ' deleted' : ''} ${viewNumberOf(regime)}.${sequence}`
}

function describeEntry(entry: StreamEntry): string {
  return 'version' in entry ? `${entry.kind} ${describeVersion(entry.version)}` : entry.kind
}

export function describeVersion({ digest, regime, sequence, deleted }: StoredVersion): string {
  return `${nameOf(digest)}${deleted ? ' deleted' : ''} ${viewNumberOf(regime)}.${sequence}`
}

export function nameOf(digest: Buffer): string {
  return digest.toString('hex', 0, 3)
}
