import { describe, expect, it } from 'vitest'
import { ActivationSyncs } from '../../../engine/src/cluster/strong/activation-syncs.ts'

/** Syncs that were asked for and end when told. */
function syncs() {
  const asked: { readonly file: 'data' | 'meta'; readonly done: () => void }[] = []
  const written: string[] = []
  const all = new ActivationSyncs((file, done) => void asked.push({ file, done }))
  /** A copy that has a state to sync, or none. */
  const activate = (name: string, isComplete: boolean) => {
    const write = () => all.whenSynced('meta', () => written.push(name))
    if (isComplete) all.whenSynced('data', write)
    else write()
  }
  const end = () => {
    asked.shift()!.done()
    all.flush()
  }
  return { all, asked, written, activate, end, files: () => asked.map(({ file }) => file) }
}

describe('the activations of a view', () => {
  it('go to disk with one sync of the data and one file of metas, whenever they became ready', () => {
    const { all, activate, end, written, files } = syncs()
    all.hold()
    activate('p1', true)
    activate('p2', false)
    all.flush()
    activate('p3', true)
    all.flush()
    expect(files()).toEqual([])
    all.release()
    all.flush()
    expect(files()).toEqual(['data'])
    end()
    expect(files()).toEqual(['meta'])
    expect(written).toEqual([])
    end()
    expect(written.sort()).toEqual(['p1', 'p2', 'p3'])
    expect(files()).toEqual([])
  })

  it('go turn by turn when they are late', () => {
    const { all, activate, end, written, files } = syncs()
    all.hold()
    all.release()
    activate('p1', false)
    all.flush()
    activate('p2', false)
    all.flush()
    expect(files()).toEqual(['meta', 'meta'])
    end()
    end()
    expect(written).toEqual(['p1', 'p2'])
  })

  it('of an earlier view do not go with those of the next', () => {
    const { all, activate, end, written, files } = syncs()
    all.hold()
    activate('p1', true)
    all.release()
    all.flush()
    activate('p2', true)
    all.hold()
    activate('p3', false)
    end()
    expect(files()).toEqual([])
    all.release()
    all.flush()
    expect(files()).toEqual(['meta'])
    end()
    expect(written).toEqual(['p3', 'p1'])
  })
})
