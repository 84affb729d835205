/** What Moorage's things bear in the engine, so that any of them can be found again after a crash. */

export interface Labels {
  readonly session: string
  readonly owner: string
  readonly project: string
}

/** The part a container plays. */
export type Role = 'gateway' | 'sandbox' | 'app'

/** Labels of one thing. */
export function labelsOf(
  labels: Labels,
  role: Role | 'network',
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    'moorage.session': labels.session,
    'moorage.owner': labels.owner,
    'moorage.project': labels.project,
    'moorage.role': role,
    ...more,
  }
}
