import type { Sentences } from './index.ts'

export const network: Sentences = {
  async dial(o, { internet, host, port }) {
    await o.boot(internet === undefined ? undefined : { enableInternet: internet === 'true' })
    return (await o.get(`dial?host=${host}&port=${port}`)).json()
  },

  async addresses(o, { internet }) {
    return (await o.boot({ enableInternet: internet === 'true' })).addresses
  },
}
