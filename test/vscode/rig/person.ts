/** A person at a window: sees rows, terminals and notifications, clicks and types. */
import type { Locator, Page } from 'playwright-core'
import { BUILD_ARGS } from '../../support/session.ts'
import { listen } from './driver.ts'
import { builtSuite } from './rig.ts'
import { startServer } from './server.ts'
import { openWindow, type Window } from './window.ts'

/** What the eyes within the extension host can look at. */
export type Sight = 'tree' | 'sessions' | 'problems' | 'editor'

/** What the extension host knows. */
export interface Facts {
  readonly pid: number
}

/** Where the sidebar ends, from the window's left edge. */
const SIDEBAR_END_PX = 400

export class Person implements AsyncDisposable {
  readonly window: Window
  readonly page: Page
  readonly #stack: AsyncDisposableStack
  /** Where the eyes within the extension host listen; another one after a reload. */
  readonly #host: { port: PromiseWithResolvers<number> }

  private constructor(window: Window, stack: AsyncDisposableStack, host: { port: PromiseWithResolvers<number> }) {
    this.window = window
    this.page = window.page
    this.#stack = stack
    this.#host = host
  }

  /**
   * Opens a folder, or a `.code-workspace` file, in a VS Code of its own.
   * @param settings besides the base images' build arguments
   * @param options.eyes whether something in the extension host looks for the test; default: true
   */
  static async open(
    folder: string,
    settings: Readonly<Record<string, unknown>> = {},
    { eyes = true }: { readonly eyes?: boolean } = {},
  ): Promise<Person> {
    const at = process.env.MOORAGE_TEST_VSCODE
    if (at === undefined) throw new Error('Run this by `npm run test:vscode`, which says where VS Code lies.')
    await using stack = new AsyncDisposableStack()
    const host = { port: Promise.withResolvers<number>() }
    const suite = eyes ? await builtSuite('test/vscode/rig/host.suite.ts') : undefined
    const driver = stack.use(await listen(async (_question, port) => host.port.resolve(Number(port))))
    const server = stack.use(
      await startServer({
        folder: at,
        settings: { 'moorage.buildArgs': BUILD_ARGS, ...settings },
        env: { MOORAGE_TEST_DRIVER: driver.url },
      }),
    )
    const window = stack.use(await openWindow({ port: server.port, folder, suite }))
    const person = new Person(window, stack.move(), host)
    if (eyes) await person.facts()
    await person.objects()
    await person.#widens()
    return person
  }

  async #ask(detail: Readonly<Record<string, unknown>>): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${await this.#host.port.promise}`, {
      method: 'POST',
      body: JSON.stringify(detail),
    })
    if (!response.ok) throw new Error(await response.text())
    return response.json()
  }

  async facts(): Promise<Facts> {
    return (await this.#ask({ what: 'facts' })) as Facts
  }

  /** Resolves with what is there as soon as it matches. @throws an Error that says what there was instead */
  async sees(what: Sight, pattern: RegExp, timeoutMs = 60_000): Promise<string> {
    return (await this.#ask({ what, pattern: pattern.source, timeoutMs })) as string
  }

  /** The id of the first session, and where its Worker is served, once it runs. */
  async session(): Promise<{ readonly id: string; readonly url: string }> {
    const [id = '', url = ''] = (await this.sees('sessions', /http/)).split(/[ \n]/)
    return { id, url }
  }

  /** Asks the Worker of the first session. Resolves with the answer's status. */
  async asks(path: string): Promise<number> {
    const { url } = await this.session()
    const answer = await fetch(new URL(path, url))
    await answer.arrayBuffer()
    return answer.status
  }

  /** Loads the window anew, with another extension host. */
  async reloads(): Promise<void> {
    this.#host.port = Promise.withResolvers()
    await this.page.reload()
    await this.facts()
    await this.objects()
  }

  get sidebar(): Locator {
    return this.page.locator('.part.sidebar')
  }

  /** Opens the Objects view. */
  async objects(): Promise<void> {
    const icon = this.page.locator('.activitybar .action-item', { has: this.page.locator('[aria-label^="Moorage"]') })
    await icon.waitFor()
    if (!(await this.sidebar.locator('.title', { hasText: 'Moorage' }).isVisible())) await icon.click()
  }

  /** Makes the sidebar as wide as in the pictures that we compare with. */
  async #widens(): Promise<void> {
    const box = await this.sidebar.boundingBox()
    if (box === null) return
    await this.page.mouse.move(box.x + box.width, 500)
    await this.page.mouse.down()
    await this.page.mouse.move(SIDEBAR_END_PX, 500, { steps: 4 })
    await this.page.mouse.up()
  }

  /** Presses the button of the empty view, and waits until the session runs. */
  async starts(): Promise<void> {
    await this.start()
    await this.session()
  }

  /** Presses the button of the empty view. */
  start(): Promise<void> {
    return this.sidebar.locator('.monaco-button', { hasText: 'Start Containers' }).click()
  }

  /** A row of the tree, by what a screen reader says of it. */
  row(name: string | RegExp): Locator {
    return this.sidebar.getByRole('treeitem', { name }).first()
  }

  /** Opens what lies below a row. */
  async expands(name: string | RegExp): Promise<void> {
    await this.row(name).click()
    if ((await this.row(name).getAttribute('aria-expanded')) === 'false') await this.page.keyboard.press('ArrowRight')
  }

  /** Presses an icon of a row, which shows while the mouse is over it. */
  async presses(name: string | RegExp, icon: string): Promise<void> {
    await this.row(name).hover()
    await this.row(name).locator('.action-label').and(this.page.getByLabel(icon)).click()
  }

  /** Chooses from the menu of a row. */
  async chooses(name: string | RegExp, item: string): Promise<void> {
    await this.row(name).click({ button: 'right' })
    const one = this.page.locator('.context-view .action-menu-item .action-label').getByText(item, { exact: true })
    await one.waitFor()
    // A menu does not take a click that comes too soon after it has opened.
    for (let tries = 0; tries < 10 && (await one.isVisible()); tries++) {
      await one.click({ timeout: 1000 }).catch(() => undefined)
      await one.waitFor({ state: 'hidden', timeout: 300 }).catch(() => undefined)
    }
  }

  /** Rests with the mouse on a row until its tooltip says something. */
  async rests(name: string | RegExp, text: string): Promise<void> {
    const tooltip = this.page.locator('.monaco-hover').getByText(text).first()
    for (let tries = 0; tries < 10 && !(await tooltip.isVisible()); tries++) {
      // Rows that are painted anew forget that the mouse is there.
      await this.page.mouse.move(SIDEBAR_END_PX + 200, 400)
      await this.row(name).hover({ position: { x: 60, y: 10 } })
      await tooltip.waitFor({ timeout: 2000 }).catch(() => undefined)
    }
    await tooltip.waitFor()
  }

  /** Runs a command by the palette. */
  async commands(title: string): Promise<void> {
    await this.page.keyboard.press('F1')
    await this.page.locator('.quick-input-widget input').first().fill(`>${title}`)
    await this.page.locator('.quick-input-list .monaco-list-row').filter({ hasText: title }).first().click()
  }

  /** What the terminal in front shows, once it matches. */
  async reads(pattern: RegExp): Promise<string> {
    const rows = this.page.locator('.terminal-wrapper.active .xterm-rows')
    let text = ''
    for (const until = performance.now() + 30_000; performance.now() < until; ) {
      // A row of the terminal is a line; blanks in it may be unbreakable.
      const lines = await rows.last().locator('> div').allInnerTexts()
      text = lines
        .map((line) => line.replaceAll('\u00a0', ' ').trimEnd())
        .join('\n')
        .trimEnd()
      if (pattern.test(text)) return text
      await this.page.waitForTimeout(50)
    }
    throw new Error(`${pattern} was not read in the terminal, which shows:\n${text}`)
  }

  /** Follows a link of the terminal in front: at the beginning of the line that matches. */
  async followsLink(line: RegExp): Promise<void> {
    const rows = this.page.locator('.terminal-wrapper.active .xterm-rows > div')
    const box = await rows.filter({ hasText: line }).first().boundingBox()
    if (box === null) throw new Error(`No line of the terminal is like ${line}.`)
    const [x, y] = [box.x + 40, box.y + box.height / 2]
    await this.page.mouse.move(x - 5, y)
    await this.page.mouse.move(x, y)
    // The terminal asks for links when the mouse rests.
    await this.page
      .locator('.terminal-hover-target, .workbench-hover')
      .filter({ hasText: 'Open the file' })
      .first()
      .waitFor()
    await this.page.keyboard.down('Control')
    await this.page.mouse.click(x, y)
    await this.page.keyboard.up('Control')
  }

  /** Types into what has the focus, and presses Enter. */
  async types(line: string): Promise<void> {
    await this.page.keyboard.type(line)
    await this.page.keyboard.press('Enter')
  }

  /** A notification: headless Chromium shows them in their centre only. */
  async notified(text: RegExp): Promise<Locator> {
    const one = this.page.locator('.notification-list-item').filter({ hasText: text }).first()
    for (const until = performance.now() + 15_000; performance.now() < until && !(await one.isVisible()); ) {
      if (!(await this.page.locator('.notifications-center.visible').isVisible())) {
        await this.page.locator('[id="status.notifications"]').click()
      }
      await this.page.waitForTimeout(100)
    }
    await one.waitFor()
    return one
  }

  /** The status bar item of Moorage. */
  get status(): Locator {
    return this.page.locator('.statusbar-item').filter({ has: this.page.locator('[aria-label^="Moorage:"]') })
  }

  /** Saves a picture of the window. */
  picture(name: string): Promise<void> {
    return this.window.picture(name)
  }

  /** Closes the window as people do: the page is left, so that the extension host is told. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.goto('about:blank').catch(() => undefined)
    await this.#stack[Symbol.asyncDispose]()
  }
}
