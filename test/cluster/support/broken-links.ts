import { long } from './scene.ts'

export type Link = readonly [from: string, to: string]

type Fault = readonly [string, readonly Link[]]

const unheard: Fault = [
  'a node that hears and is not heard',
  [
    ['A3', 'A1'],
    ['A3', 'A2'],
  ],
]
const cutOff: Fault = [
  'a node that is cut off',
  [
    ['A1', 'A3'],
    ['A2', 'A3'],
    ['A3', 'A1'],
    ['A3', 'A2'],
  ],
]
const others: readonly Fault[] = [
  ['a link that works one way only', [['A1', 'A2']]],
  [
    'a node that is heard and hears nothing',
    [
      ['A1', 'A3'],
      ['A2', 'A3'],
    ],
  ],
]

/** Ways in which the network of three nodes fails; what goes from the first to the second of each pair is held. */
export const brokenLinks: readonly Fault[] = [unheard, cutOff, ...(long ? others : [])]
