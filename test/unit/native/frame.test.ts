import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import * as agent from '../../../runtime/protocol/agent.ts'
import * as frames from '../../../runtime/protocol/frames.ts'
import * as gateway from '../../../runtime/protocol/gateway.ts'

const header = await readFile(new URL('../../../runtime/native/frame.h', import.meta.url), 'utf8')

/** The header's constants: name to number or text. */
const defined = new Map<string, number | string>()
for (const [, name, value] of header.matchAll(/^#define (\w+) (.+)$/gm)) {
  defined.set(name!, value!.startsWith('"') ? value!.slice(1, -1) : Number(value))
}

/** What the TypeScript says, under the header's names: a group's members carry its prefix. */
function expected(): Map<string, number | string> {
  const all = new Map<string, number | string>()
  const groups = {
    TO_AGENT_: agent.ToAgent,
    FROM_AGENT_: agent.FromAgent,
    STREAM_: agent.Stream,
    STEP_: agent.Step,
    FACT_: agent.Fact,
    COMMAND_FLAG_: agent.CommandFlag,
    KIND_: gateway.Kind,
    VERDICT_: gateway.Verdict,
    TO_GATEWAY_: gateway.ToGateway,
    FROM_GATEWAY_: gateway.FromGateway,
  }
  for (const module of [frames, agent, gateway]) {
    for (const [name, value] of Object.entries(module)) {
      if (typeof value === 'number' || typeof value === 'string') all.set(name, value)
    }
  }
  for (const [prefix, group] of Object.entries(groups)) {
    for (const [name, value] of Object.entries(group)) all.set(prefix + name, value)
  }
  return all
}

describe('frame.h', () => {
  it('has every constant of the wires, with the same value, and no others', () => {
    const ours = new Map(defined)
    assert.equal(ours.get('WIRE_VERSION_TEXT'), String(frames.WIRE_VERSION))
    ours.delete('WIRE_VERSION_TEXT')
    const sorted = (map: Map<string, unknown>) => [...map].map(([name, value]) => `${name} ${value}`).sort()
    assert.deepEqual(sorted(ours), sorted(expected()))
  })
})
