/**
 * What the secrets service decides, decided here. Data has the service's field names (`secret_id`). An invalid
 * argument throws an `Error` with the code `InvalidArg`, which repeats no value.
 */

export type NamePolicy = 'STRICT' | 'RELAXED'
export type TargetKind = 'ENVIRONMENT_VARIABLE' | 'FILE' | 'REGISTRY' | 'API_ONLY'
export type ScopeKind = 'ORGANIZATION' | 'PROJECT' | 'WORKSPACE' | 'USER'

export interface NameVerdict {
  valid: boolean
  /** What is wrong and what to do, in a sentence that may be shown. */
  error: string | null
  /** The nearest valid name. */
  suggestion: string | null
}

/** Whether a secret may have this name. Some are reserved for the default kind, an environment variable. */
export function validateName(name: string, namePolicy?: NamePolicy | null, targetKind?: TargetKind | null): NameVerdict

export type Target =
  | { kind: 'ENVIRONMENT_VARIABLE' }
  /** Absolute or below `~/`; the mode in octal digits. */
  | { kind: 'FILE'; path: string; mode?: string }
  | { kind: 'REGISTRY'; host: string; username: string }
  | { kind: 'API_ONLY' }

export interface Rules {
  /** The secrets that the scope has. */
  existing?: Record<string, Target>
  /** The names to import; all if there are none. */
  only?: string[]
  name_policy?: NamePolicy
  /** The reserved names that the organization allows. */
  allowed_reserved?: string[]
  /** What becomes of names that exist. */
  conflict_policy?: 'SKIP' | 'OVERWRITE' | 'FAIL'
  /** What becomes of the others when an entry is rejected. */
  on_rejected?: 'FAIL' | 'SKIP'
  /** Whether `${…}` and references of other tools, such as `op://…`, are meant as they stand. */
  literal?: boolean
  /** Whether an entry whose name is not valid gets the one that is suggested. */
  rename?: boolean
}

export interface Entry {
  line: number
  /** The name as it was written, unless it may be a part of a value. */
  key: string | null
  /** The name, if it would be applied; another one than `key` if it is renamed. */
  secret_id: string | null
  outcome:
    | 'CREATED'
    | 'UPDATED'
    | 'UNCHANGED'
    | 'SKIPPED_EXISTS'
    | 'SKIPPED_EMPTY'
    | 'OVERRIDDEN_LATER'
    | 'REJECTED'
    | 'SKIPPED_NOT_SELECTED'
  /** Why it would not be applied, or what to know before it is. */
  reason: string | null
  suggestion: string | null
}

export interface Review {
  /** Why the document can't be read; then there is nothing else. */
  problem: { line: number | null; message: string } | null
  entries: Entry[]
  /** Names to import that no entry has. */
  missing: string[]
  may_apply: boolean
}

/** What an import of a `.env` document would do. Nothing of a value comes out. */
export function reviewDotenv(document: Uint8Array, rules?: Rules | null): Review

export interface Candidate {
  uid: string
  scope: { kind: ScopeKind; uid: string }
  secret_id: string
  target?: Target
  group?: string | null
  /** The uids that an organization's secret reaches; everything without it. */
  visibility?: { projects?: string[]; workspaces?: string[] } | null
  override_policy?: 'ALLOWED' | 'LOCKED' | null
  disabled?: boolean
  /** In microseconds since 1970 (UTC). */
  expire_time?: number | null
}

export interface Question {
  /** Uids. */
  context: { organization: string; project?: string | null; workspace?: string | null; user?: string | null }
  /** In microseconds since 1970 (UTC): `Date.now() * 1000`. */
  now: number
  /** All secrets of the context's scopes. */
  candidates: Candidate[]
}

export interface Explanation {
  winners: { secret_id: string; uid: string; scope: ScopeKind }[]
  not_chosen: {
    secret_id: string
    uid: string
    scope: ScopeKind
    reason:
      | 'LOWER_PRECEDENCE'
      | 'LOCKED_ABOVE'
      | 'SAME_TARGET'
      | 'GROUP_FROM_NARROWER_SCOPE'
      | 'EXPIRED'
      | 'DISABLED'
      | 'NOT_VISIBLE'
    /** The secret that stands in its way, if one does. */
    blocked_by: string | null
  }[]
  /** When this changes by itself, in microseconds since 1970 (UTC). */
  valid_until: number | null
}

/** What a context gets, and of everything else why not. */
export function explain(question: Question): Explanation

/** Masks values, as they are and encoded, in any bytes. */
export class Redactor {
  /** Masks the values of `secrets`, by name, apart from those of the names in `redactionOff`. */
  constructor(secrets: Record<string, string | Uint8Array>, redactionOff?: string[] | null)
  /** What is not masked, or not wholly. */
  get unmasked(): { name: string; reason: 'OFF' | 'TOO_SHORT' | 'SHORT_LINES' }[]
  /** Whether nothing is ever masked. */
  get isEmpty(): boolean
  /** What stands in a value's place: `***`, unless that could complete a value. */
  get replacement(): string
  /** Masks a text at once. */
  redact(whole: Uint8Array): Buffer
  /** Masks a text that comes in pieces. */
  stream(): RedactorStream
}

/** A text that comes in pieces, wherever they end. Made by {@link Redactor.stream}. */
export class RedactorStream {
  private constructor()
  /** Takes more of the text; gives what is decided by now. */
  push(input: Uint8Array): Buffer
  /** Gives what was held back and may be shown, as nothing more follows soon: all but 6 bytes or more of a value. */
  pause(): Buffer
  /** Gives what was held back, as nothing more follows: 6 bytes or more of a value as `***`. The stream can go on. */
  finish(): Buffer
  /** How many bytes are held back. */
  get heldBack(): number
}
