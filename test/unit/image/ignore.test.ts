/** Patterns and results are those of Docker's documentation and of its own tests (moby/patternmatcher). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseIgnore } from '../../../runtime/image/ignore.ts'

const MATCHES: [pattern: string, path: string, ignored: boolean][] = [
  ['**', 'file', true],
  ['**/', 'dir/file', true],
  ['**/**', 'dir/file', true],
  ['dir/**', 'dir/file', true],
  ['dir/**', 'dir/dir2/file', true],
  ['**/dir', 'dir', true],
  ['**/dir', 'dir/file', true],
  ['**/dir2/*', 'dir/dir2/file', true],
  ['**/dir2/**', 'dir/dir2/dir3/file', true],
  ['**file', 'file', true],
  ['**file', 'dir/dir/file', true],
  ['**/file', 'dir/dir/file', true],
  ['**/file*txt', 'dir/dir/file.txt', true],
  ['**/file*.txt*', 'dir/dir/file.txt', true],
  ['**/**/*.txt', 'dir/dir/file.txt', true],
  ['**/**/*.txt2', 'dir/dir/file.txt', false],
  ['**/*.txt', 'file.txt', true],
  ['**/**/*.txt', 'file.txt', true],
  ['a**/*.txt', 'a/file.txt', true],
  ['a**/*.txt', 'a/dir/dir/file.txt', true],
  ['a/*.txt', 'a/dir/file.txt', false],
  ['a/*.txt', 'a/file.txt', true],
  ['a/*.txt**', 'a/file.txt', true],
  ['a[b-d]e', 'ae', false],
  ['a[b-d]e', 'ace', true],
  ['a[b-d]e', 'aae', false],
  ['a[^b-d]e', 'aze', true],
  ['.*', '.foo', true],
  ['.*', 'foo', false],
  ['abc.def', 'abcdef', false],
  ['abc.def', 'abc.def', true],
  ['abc.def', 'abcZdef', false],
  ['abc?def', 'abcZdef', true],
  ['abc?def', 'abcdef', false],
  ['abc?def', 'abc/def', false],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'axb', false],
  ['**/foo/bar', 'foo/bar', true],
  ['**/foo/bar', 'dir/dir2/foo/bar', true],
  ['abc/**', 'abc', false],
  ['abc/**', 'abc/def/ghi', true],
  ['**/.foo', '.foo', true],
  ['**/.foo', 'bar.foo', false],
  ['a(b)c/def', 'a(b)c/def', true],
  ['a(b)c/def', 'a(b)c/xyz', false],
  ['a.|)$(}+{bc', 'a.|)$(}+{bc', true],
  ['dist/*.whl', 'dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl', true],
  // Not as .gitignore: a pattern starts at the root.
  ['node_modules', 'packages/a/node_modules', false],
  ['*.log', 'logs/a.log', false],
  // What holds for a folder holds for all in it.
  ['node_modules', 'node_modules/a/b.js', true],
  ['temp?', 'tempa/file', true],
  ['*/temp*', 'somedir/temporary.txt', true],
  ['*/temp*', 'somedir/temp/file', true],
  ['*/temp*', 'temp', false],
  ['*/*/temp*', 'somedir/subdir/temporary.txt', true],
]

describe('a pattern of .dockerignore', () => {
  for (const [pattern, path, ignored] of MATCHES) {
    it(`${pattern} ${ignored ? 'leaves out' : 'keeps'} ${path}`, () => {
      assert.equal(parseIgnore(pattern).ignores(path), ignored)
    })
  }
})

const kept = (text: string, paths: string[]) => paths.filter((path) => !parseIgnore(text).ignores(path))

describe('.dockerignore', () => {
  it('may write paths in several ways', () => {
    for (const line of [
      'foo/bar',
      '/foo/bar',
      './foo/bar',
      'foo//bar',
      'foo/bar/',
      'foo/./bar',
      'x/../foo/bar',
      '  foo/bar  ',
    ]) {
      assert.deepEqual(kept(line, ['foo/bar', 'foo/baz']), ['foo/baz'], line)
    }
  })

  it('has comments, empty lines, a byte order mark and lines of Windows', () => {
    assert.deepEqual(kept('\uFEFF# a comment\r\n\r\na\r\n#b\r\n', ['a', '#b', 'c']), ['#b', 'c'])
  })

  it('takes back with !, and the last line that matches decides', () => {
    const files = ['CHANGES.md', 'README.md', 'README-secret.md', 'main.js']
    assert.deepEqual(kept('*.md\n!README.md', files), ['README.md', 'main.js'])
    assert.deepEqual(kept('*.md\n!README*.md\nREADME-secret.md', files), ['README.md', 'main.js'])
    assert.deepEqual(kept('*.md\nREADME-secret.md\n!README*.md', files), ['README.md', 'README-secret.md', 'main.js'])
  })

  it('takes back below a folder that is left out', () => {
    assert.deepEqual(kept('docs\n!docs/README.md', ['docs', 'docs/a.md', 'docs/README.md']), ['docs/README.md'])
    assert.deepEqual(kept('*\n!src', ['a', 'src', 'src/b']), ['src', 'src/b'])
    assert.deepEqual(kept('**\n!**/*.ts', ['a', 'src/b.ts', 'src/c']), ['src/b.ts'])
    assert.deepEqual(kept('*\n! src ', ['a', 'src/b']), ['src/b'])
  })

  it('names the line that is wrong', () => {
    assert.throws(() => parseIgnore('a\n!'), /line 2: "!" names nothing/)
    assert.throws(() => parseIgnore('a\n[b'), /line 2: "\[b" is no pattern/)
    assert.throws(() => parseIgnore('[z-a]'), /line 1/)
  })
})

describe('a folder that is left out', () => {
  const open = (text: string, folder: string) => parseIgnore(text).mayHoldExceptions(folder)

  it('is looked into only where something may be taken back', () => {
    assert.equal(open('node_modules', 'node_modules'), false)
    assert.equal(open('*\n!src', 'node_modules'), false)
    assert.equal(open('docs\n!docs/a/b.md', 'docs'), true)
    assert.equal(open('docs\n!docs/a/b.md', 'docs/a'), true)
    assert.equal(open('docs\n!docs/a/b.md', 'docs/c'), false)
    assert.equal(open('docs\n!docs/a', 'docs/a/b'), true)
    assert.equal(open('*\n!**/*.ts', 'src/deep'), true)
  })
})
