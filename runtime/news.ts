/** Who hears what the relay tells. */
import type { Fleet } from './object/fleet.ts'
import type { ContainerWatch } from './object/watch.ts'
import type { SessionProcesses } from './people.ts'
import type { ProcessModel } from './protocol/model.ts'
import type { RelayNews } from './protocol/relay.ts'

/** Hands on one piece of news. */
export function hearRelay(
  to: {
    readonly fleet: Fleet
    readonly watch: ContainerWatch
    readonly processes: SessionProcesses
    process(model: ProcessModel): Promise<void>
  },
  news: RelayNews,
): void {
  const { fleet, watch, processes } = to
  if (news.news === 'output') fleet.output(news.container, news.stream, news.lines)
  else if (news.news === 'process-output') processes.output(news)
  else if (news.news === 'process-read') processes.read(news.process)
  else if (news.news === 'process-note') processes.note(news.object, news.text)
  else if (news.news === 'process') void to.process(news.process)
  else if (news.news === 'note') fleet.noted(news.instance, news.note)
  else if (news.news === 'detached') fleet.detached(news.instance)
  else if (news.news === 'port-open') fleet.opened(news.object, news.open)
  else if (news.news === 'refused') fleet.refused(news.object, news.port)
  else if (news.news === 'agent-lost') void fleet.agentLost(news.container, news.lost)
  else if (news.news === 'agent' && news.up) watch.linkUp(news.container)
  else if (news.news === 'agent') watch.linkDown(news.container)
  else if (news.news === 'released') {
    watch.linkDown(news.container)
    watch.silent(news.container)
  }
}
