/** Every text that people read can be translated: what goes to VS Code's user interface goes through l10n.t. */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import * as l10n from '@vscode/l10n'
import { getL10nPseudoLocalized } from '@vscode/l10n-dev'
import ts from 'typescript-parser'
import { statusOf } from '../../../extension/session/status-words.ts'
import { cardOf } from '../../../extension/why/card.ts'
import { root } from '../../support/root.mjs'

/** Functions of VS Code that show their arguments, and properties that are shown. */
const SHOWN_BY = /^(show(Information|Warning|Error)Message|setStatusBarMessage)$/
const SHOWN_AS = new Set(['title', 'placeholder', 'placeHolder', 'prompt', 'label', 'detail', 'description', 'tooltip'])
/** Names, and what is made only of signs, codicons and placeholders. */
const NO_TEXT = /^(Moorage|Docker|Docker Desktop|OrbStack|Colima|Podman|Log|SIG\w+|pid|unixvarrun.*)?$/

const folder = join(root, 'extension')

describe('texts of the extension', () => {
  it('none stands in the code without l10n.t', async () => {
    const files = (await readdir(folder, { recursive: true })).filter(
      (file) => file.endsWith('.ts') && !/^(contributes|code.parser)\b/.test(file),
    )
    const found: string[] = []
    for (const file of files) {
      const text = await readFile(join(folder, file), 'utf8')
      const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
      const check = (node: ts.Node | undefined): void => {
        for (const words of literals(node)) {
          if (!NO_TEXT.test(words)) {
            const { line } = source.getLineAndCharacterOfPosition(node?.getStart(source) ?? 0)
            found.push(`${file}:${line + 1}: ${words}`)
          }
        }
      }
      const visit = (node: ts.Node): void => {
        if (ts.isPropertyAssignment(node) && ts.isIdentifier(node.name) && SHOWN_AS.has(node.name.text))
          check(node.initializer)
        if (
          ts.isCallExpression(node) &&
          ts.isPropertyAccessExpression(node.expression) &&
          SHOWN_BY.test(node.expression.name.text)
        ) {
          for (const argument of node.arguments) check(argument)
        }
        if (
          ts.isBinaryExpression(node) &&
          node.operatorToken.kind === ts.SyntaxKind.EqualsToken &&
          ts.isPropertyAccessExpression(node.left) &&
          SHOWN_AS.has(node.left.name.text)
        ) {
          check(node.right)
        }
        ts.forEachChild(node, visit)
      }
      visit(source)
    }
    assert.deepEqual(found, [])
  })

  describe('in a pseudo-locale', () => {
    before(async () => {
      const bundle = JSON.parse(await readFile(join(folder, 'l10n/bundle.l10n.json'), 'utf8'))
      l10n.config({ contents: getL10nPseudoLocalized(bundle) as Record<string, string> })
    })
    after(() => l10n.config({ contents: {} }))

    it('the status bar has no English', () => {
      for (const state of ['no-engine', 'starting', 'failed', 'running', 'stopped'] as const) {
        assert.doesNotMatch(statusOf(state, []).spoken.replace('Moorage', ''), ENGLISH)
      }
    })

    it('the card has no English but what the runtime says', () => {
      const end = { at: 0, message: '', advice: [], lastLog: [], reason: { kind: 'exited', exitCode: 127 } }
      const made = cardOf({ className: '', name: '', container: { state: 'failed', life: 1, end } } as never, undefined)
      for (const { name, value } of made?.card.facts ?? [])
        assert.doesNotMatch(`${name} ${value.replace(/AM|PM/, '')}`, ENGLISH)
      for (const { label } of made?.card.actions ?? []) assert.doesNotMatch(label, ENGLISH)
    })
  })
})

/** A word of plain letters; the pseudo-locale has accents on each. */
const ENGLISH = /\b[A-Za-z]{3,}\b/

/** The words of literals in an expression, without those in calls, codicons and commands' links. */
function literals(node: ts.Node | undefined): readonly string[] {
  if (node === undefined || ts.isCallExpression(node)) return []
  if (ts.isConditionalExpression(node)) return [...literals(node.whenTrue), ...literals(node.whenFalse)]
  if (ts.isParenthesizedExpression(node)) return literals(node.expression)
  const parts = ts.isStringLiteralLike(node)
    ? [node.text]
    : ts.isTemplateExpression(node)
      ? [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)]
      : []
  return parts
    .map((part) =>
      part
        .replaceAll(/\$\([\w~-]+\)/g, '')
        .replaceAll(/[^\p{L}\s]/gu, '')
        .trim(),
    )
    .filter((part) => /\p{L}{2,}/u.test(part))
}
