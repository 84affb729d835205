/** The card "why did it stop": shows what it is told, and says which button was pressed. */
import type { Card, FromCard, ToCard } from '../messages.ts'
import './card.css'

declare function acquireVsCodeApi(): { postMessage(message: FromCard): void }

const api = acquireVsCodeApi()
const main = document.querySelector('main') ?? document.body

window.addEventListener('message', ({ data }: MessageEvent<ToCard>) => {
  if (data.type === 'show') show(data.card)
})
api.postMessage({ type: 'ready' })

function show(card: Card): void {
  const { words } = card
  main.replaceChildren(
    element('h1', {}, card.title),
    element('p', { className: card.failed ? 'headline failed' : 'headline' }, card.headline),
    ...card.advice.map((text) => element('p', { className: 'advice' }, text)),
    actions(card),
    element(
      'table',
      {},
      ...card.facts.map(({ name, value }) =>
        element('tr', {}, element('th', { scope: 'row' }, name), element('td', {}, value)),
      ),
    ),
    element('h2', {}, words.log),
    card.log.length === 0
      ? element('p', { className: 'none' }, words.noLog)
      : element('pre', { tabIndex: 0 }, card.log.join('\n')),
  )
}

function actions({ actions, words }: Card): HTMLElement {
  const buttons = actions.map(({ label, index }, at) => {
    const button = element('button', { className: at === 0 ? 'primary' : 'secondary', type: 'button' }, label)
    button.addEventListener('click', () => api.postMessage({ type: 'do', index }))
    return button
  })
  const group = element('div', { className: 'actions', role: 'group' }, ...buttons)
  group.setAttribute('aria-label', words.next)
  return group
}

/** Text goes in as text: nothing that a container wrote is ever markup. */
function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]>,
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}
