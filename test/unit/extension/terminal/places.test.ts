import assert from 'node:assert/strict'
import { it } from 'node:test'
import { placesIn } from '../../../../extension/terminal/places.ts'

const found = (text: string) =>
  placesIn(text).map(({ path, line, column }) => [path, line, column].filter((part) => part !== undefined).join(':'))

it('places in a line are found', () => {
  assert.deepEqual(found('    at run (/app/server.mjs:41:10)'), ['/app/server.mjs:41:10'])
  assert.deepEqual(found('at file:///app/test/charges.test.mjs:41:10'), ['/app/test/charges.test.mjs:41:10'])
  assert.deepEqual(found('src/index.ts:4:3: Expected ";"'), ['src/index.ts:4:3'])
  assert.deepEqual(found('Failed at Dockerfile:8: exit 1'), ['Dockerfile:8'])
  assert.deepEqual(found('wrote /app/out/report.html and ./a/b.txt'), ['/app/out/report.html', './a/b.txt'])
})

it('words are none', () => {
  assert.deepEqual(found('node.js 22.1.0 is running at 127.0.0.1:8080'), [])
  assert.deepEqual(found('GET /api 200 in 3.2 ms'), [])
})

it('stand where they are', () => {
  const text = 'at /app/a.mjs:1:2)'
  const [place] = placesIn(text)
  assert.equal(text.slice(place?.start, (place?.start ?? 0) + (place?.length ?? 0)), '/app/a.mjs:1:2')
})
