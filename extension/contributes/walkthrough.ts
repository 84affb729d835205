/** The first three steps, completed by what a person does. */
import { contextKeys } from './keys.ts'

/** @param nls takes a key and an English text, and gives what stands in package.json for it */
export function walkthroughs(nls: (key: string, text: string) => string): readonly unknown[] {
  const step = (id: string, title: string, description: string, completionEvents: readonly string[]) => ({
    id,
    title: nls(`walkthrough.${id}.title`, title),
    description: nls(`walkthrough.${id}.description`, description),
    completionEvents,
    media: { markdown: `extension/media/walkthrough/${id}.md` },
  })
  return [
    {
      id: 'start',
      title: nls('walkthrough.title', 'Run containers of Durable Objects'),
      description: nls('walkthrough.description', 'From a Worker project to a shell inside one of its containers.'),
      steps: [
        step(
          'start',
          'Start the containers',
          'Moorage runs your Worker in workerd and its containers on Docker. Nothing in the project changes.\n[Start Containers](command:moorage.start)',
          [`onContext:${contextKeys.state} == running`],
        ),
        step(
          'look',
          'See an object',
          'Send the Worker a request: the object that it wakes appears in the Objects view, with its container.\n[Open Worker in Browser](command:moorage.openWorker)',
          [`onContext:${contextKeys.seen}`],
        ),
        step(
          'shell',
          'Be inside',
          'Open a shell in a running container, beside your code.\n[Open Shell](command:moorage.openShell)',
          ['onCommand:moorage.openShell', 'onCommand:moorage.openShellBeside', 'onCommand:moorage.shellOfClass'],
        ),
      ],
    },
  ]
}
