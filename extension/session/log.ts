/** What happens in a session, as lines of the output channel. */
import type * as vscode from 'vscode'
import type { SessionEvent } from '../../runtime/protocol/events.ts'

/** Writes an event at the level that it has for a reader. */
export function logEvent(log: vscode.LogOutputChannel, event: SessionEvent): void {
  const { level, text } = lineOf(event)
  log[level](text)
}

interface Line {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error'
  readonly text: string
}

function lineOf(event: SessionEvent): Line {
  switch (event.type) {
    case 'worker-log':
      return { level: event.level === 'log' ? 'info' : event.level, text: `${event.project}: ${event.text}` }
    case 'container-log':
      return { level: 'info', text: `${event.object}: ${event.text}` }
    case 'image-output':
      return { level: 'info', text: `${event.className}: ${event.text.trimEnd()}` }
    case 'advice':
      return { level: 'warn', text: event.text }
    case 'worker':
      return event.worker.state === 'failed'
        ? { level: 'error', text: `${event.project}: ${event.worker.message}` }
        : { level: 'info', text: `${event.project}: Worker ${event.worker.state}` }
    case 'container': {
      const { container } = event
      const end = container.state === 'failed' || container.state === 'stopped' ? `: ${container.end.message}` : ''
      const text = `${event.object}: container ${container.state}${end}`
      return { level: container.state === 'failed' ? 'warn' : 'info', text }
    }
    default:
      return { level: 'trace', text: JSON.stringify(event) }
  }
}
