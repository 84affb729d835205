/** Finds classes, their exports and literal execs in a file, by TypeScript's own parser. Nothing of the project is run or resolved. */
import ts from 'typescript-parser'
import type { Found, FoundClass, FoundExec, FoundExport, Place } from '../found.ts'

const CONTAINERS = '@cloudflare/containers'

/** Parses one file; broken code gives what is found in it nevertheless. */
export function find(file: string, text: string): Found {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const place = (node: ts.Node): Place => {
    const { line, character } = source.getLineAndCharacterOfPosition(node.getStart(source))
    return { line, column: character }
  }
  const imports = importsOf(source)
  const bases = new Map<string, ts.Expression | undefined>()
  const declared: (Place & { readonly name: string })[] = []
  const execs: FoundExec[] = []
  const boxes = new Set(['container'])
  const visit = (node: ts.Node): void => {
    if (ts.isClassLike(node)) {
      const name = classNameOf(node)
      if (name !== undefined) {
        bases.set(name, heritageOf(node))
        declared.push({ name, ...place(node) })
      }
    } else if (ts.isVariableDeclaration(node)) {
      for (const name of boxesOf(node)) boxes.add(name)
    } else if (ts.isCallExpression(node)) {
      const argv = argvOf(node, boxes)
      if (argv !== undefined) execs.push({ argv, ...place(node) })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  const classes = declared.map(
    (one): FoundClass => ({ ...one, isContainer: reaches(one.name, bases, imports, new Set()) }),
  )
  return { classes, execs, exports: exportsOf(source, imports) }
}

interface Import {
  readonly from: string
  /** The name there; `*` for the module, `default`. */
  readonly name: string
}

function importsOf(source: ts.SourceFile): ReadonlyMap<string, Import> {
  const found = new Map<string, Import>()
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue
    const from = statement.moduleSpecifier.text
    const clause = statement.importClause
    if (clause?.name !== undefined) found.set(clause.name.text, { from, name: 'default' })
    const bindings = clause?.namedBindings
    if (bindings === undefined) continue
    if (ts.isNamespaceImport(bindings)) found.set(bindings.name.text, { from, name: '*' })
    else
      for (const { name, propertyName } of bindings.elements)
        found.set(name.text, { from, name: (propertyName ?? name).text })
  }
  return found
}

/** `class X`, and `const X = class {…}`. */
function classNameOf(node: ts.ClassLikeDeclaration): string | undefined {
  if (node.name !== undefined) return node.name.text
  if (ts.isVariableDeclaration(node.parent) && ts.isIdentifier(node.parent.name)) return node.parent.name.text
  const isDefault = node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword) === true
  return isDefault ? 'default' : undefined
}

function heritageOf(node: ts.ClassLikeDeclaration): ts.Expression | undefined {
  return node.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword)?.types[0]?.expression
}

/** Whether a class comes from `Container`: by import, by alias, by a namespace, over classes and constants of the file. */
function reaches(
  name: string,
  bases: ReadonlyMap<string, ts.Expression | undefined>,
  imports: ReadonlyMap<string, Import>,
  seen: Set<string>,
): boolean {
  if (seen.has(name)) return false
  seen.add(name)
  const base = bases.get(name)
  if (base === undefined) return false
  if (ts.isPropertyAccessExpression(base) && ts.isIdentifier(base.expression)) {
    const space = imports.get(base.expression.text)
    return space?.from === CONTAINERS && space.name === '*' && base.name.text === 'Container'
  }
  if (!ts.isIdentifier(base)) return false
  const imported = imports.get(base.text)
  if (imported !== undefined) return imported.from === CONTAINERS && imported.name === 'Container'
  return reaches(base.text, bases, imports, seen)
}

function exportsOf(source: ts.SourceFile, imports: ReadonlyMap<string, Import>): readonly FoundExport[] {
  const found: FoundExport[] = []
  const add = (name: string, local: string, from?: string): void => {
    const imported = from === undefined ? imports.get(local) : undefined
    found.push(imported === undefined ? { name, local, from } : { name, local: imported.name, from: imported.from })
  }
  for (const statement of source.statements) {
    if (ts.isExportDeclaration(statement)) {
      const { moduleSpecifier, exportClause } = statement
      const from =
        moduleSpecifier !== undefined && ts.isStringLiteral(moduleSpecifier) ? moduleSpecifier.text : undefined
      if (exportClause === undefined) add('*', '*', from)
      else if (ts.isNamedExports(exportClause)) {
        for (const { name, propertyName } of exportClause.elements) add(name.text, (propertyName ?? name).text, from)
      }
    } else if (ts.isExportAssignment(statement)) {
      if (ts.isIdentifier(statement.expression)) add('default', statement.expression.text)
    } else if (ts.canHaveModifiers(statement)) {
      const modifiers = ts.getModifiers(statement) ?? []
      if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) continue
      const isDefault = modifiers.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword)
      if (ts.isClassDeclaration(statement)) {
        const local = classNameOf(statement) ?? 'default'
        add(isDefault ? 'default' : local, local)
      } else if (ts.isVariableStatement(statement)) {
        for (const { name, initializer } of statement.declarationList.declarations) {
          if (!ts.isIdentifier(name)) continue
          const alias = initializer !== undefined && ts.isIdentifier(initializer) ? initializer.text : name.text
          add(name.text, alias)
        }
      }
    }
  }
  return found
}

/** Names that stand for a container: `const box = this.ctx.container`, `const { container: box } = this.ctx`. */
function boxesOf({ name, initializer }: ts.VariableDeclaration): readonly string[] {
  if (ts.isIdentifier(name)) return initializer !== undefined && isContainer(initializer, new Set()) ? [name.text] : []
  if (!ts.isObjectBindingPattern(name)) return []
  return name.elements.flatMap((element) => {
    const property = element.propertyName ?? element.name
    const isBox = ts.isIdentifier(property) && property.text === 'container' && ts.isIdentifier(element.name)
    return isBox && ts.isIdentifier(element.name) ? [element.name.text] : []
  })
}

function isContainer(node: ts.Expression, boxes: ReadonlySet<string>): boolean {
  if (ts.isNonNullExpression(node) || ts.isParenthesizedExpression(node) || ts.isAsExpression(node)) {
    return isContainer(node.expression, boxes)
  }
  if (ts.isPropertyAccessExpression(node)) return node.name.text === 'container'
  return ts.isIdentifier(node) && boxes.has(node.text)
}

/** The command of `container.exec([...])`; undefined where it is none, or not all of it is literal. */
function argvOf(
  { expression, arguments: [list] }: ts.CallExpression,
  boxes: ReadonlySet<string>,
): readonly string[] | undefined {
  if (!ts.isPropertyAccessExpression(expression) || expression.name.text !== 'exec') return undefined
  if (list === undefined || !ts.isArrayLiteralExpression(list) || list.elements.length === 0) return undefined
  if (!isContainer(expression.expression, boxes)) return undefined
  const words = list.elements.map((element) => (ts.isStringLiteralLike(element) ? element.text : undefined))
  return words.every((word) => word !== undefined) ? words : undefined
}
