import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Emitter } from '../../../runtime/base/emitter.ts'

describe('an emitter', () => {
  it('tells listeners in the order in which they came', () => {
    const emitter = new Emitter<number>()
    const heard: string[] = []
    emitter.on((n) => heard.push(`a${n}`))
    emitter.on((n) => heard.push(`b${n}`))
    emitter.emit(1)
    assert.deepEqual(heard, ['a1', 'b1'])
  })

  it('tells no one who has gone, and keeps the same function once', () => {
    const emitter = new Emitter<number>()
    const heard: number[] = []
    const listener = (n: number): void => void heard.push(n)
    emitter.on(listener)
    const off = emitter.on(listener)
    emitter.emit(1)
    off()
    emitter.emit(2)
    assert.deepEqual(heard, [1])
  })

  it('tells those who were there when it began, whoever comes or goes meanwhile', () => {
    const emitter = new Emitter<string>()
    const heard: string[] = []
    const off = emitter.on(() => {
      off()
      emitter.on((value) => heard.push(`late ${value}`))
    })
    emitter.on((value) => heard.push(value))
    emitter.emit('one')
    emitter.emit('two')
    assert.deepEqual(heard, ['one', 'two', 'late two'])
  })

  it('lets all hear although some throw, and then throws the first error', () => {
    const emitter = new Emitter<void>()
    const heard: string[] = []
    emitter.on(() => {
      throw new Error('first')
    })
    emitter.on(() => {
      throw new Error('second')
    })
    emitter.on(() => heard.push('heard'))
    assert.throws(() => emitter.emit(), { message: 'first' })
    assert.deepEqual(heard, ['heard'])
  })
})
