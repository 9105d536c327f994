import { infoError } from '../../protocol/info-text.ts'
import { ResultCode } from '../../values/result-code.ts'
import type { InfoCommands } from './info-command.ts'

/** The release whose protocol and behaviour the engine follows; clients decide by it what to send. */
const BUILD = '8.1.2.0'
const EDITION = 'Aerospike Community Edition'
const OS = 'debian12'
const ARCH = 'x86_64'
const SHA = '68182105aaa20bce52e3a672e0ac896e84421f85'
const BUILD_TIME = 'Thu Jan  1 00:00:00 UTC 2026'

const FEATURES =
  'batch-any;batch-index;blob-bits;cdt-index;cdt-list;cdt-map;cluster-stable;float;geo;sindex-exists;peers;' +
  'pipelining;pquery;pscans;query-show;relaxed-sc;replicas;replicas-all;replicas-master;replicas-max;' +
  'truncate-namespace;udf'

/** Who the node is and which release it speaks like. */
export const identityCommands: InfoCommands = {
  node: (node) => node.id,
  name: (node) => node.id,
  build: () => BUILD,
  build_os: () => OS,
  build_arch: () => ARCH,
  build_time: () => BUILD_TIME,
  build_sha: () => SHA,
  build_ee_sha: () => SHA,
  edition: () => EDITION,
  version: () => `${EDITION} build ${BUILD}`,
  release: () => `edition=${EDITION};version=${BUILD};os=${OS};arch=${ARCH};sha=${SHA}`,
  'compatibility-id': () => '15',
  features: () => FEATURES,
  status: () => 'ok',
  connection: () => 'admin=false',
  digests: () => 'RIPEMD160',
  'feature-key': enterpriseOnly,
  'masking-show': enterpriseOnly,
  masking: enterpriseOnly,
}

export function enterpriseOnly(): string {
  return infoError(ResultCode.ENTERPRISE_ONLY, 'enterprise only')
}
