// Compiled, never run: index.d.ts allows what is meant, and nothing else.

import { Redactor, explain, reviewDotenv, validateName } from '../index.js'

const verdict: { valid: boolean; suggestion: string | null } = validateName('a', 'RELAXED', 'FILE')
const heldBack: number = new Redactor({ A: 'text', B: new Uint8Array(6) }, ['A']).stream().heldBack
const line: number | undefined = reviewDotenv(Buffer.from(''), { conflict_policy: 'FAIL' }).entries[0]?.line
const until: number | null = explain({ context: { organization: 'o' }, now: 0, candidates: [] }).valid_until
export default [verdict, heldBack, line, until]

// @ts-expect-error no such policy
validateName('a', 'LAX')
// @ts-expect-error a file has a path
reviewDotenv(Buffer.from(''), { existing: { A: { kind: 'FILE' } } })
// @ts-expect-error a value is text or bytes
new Redactor({ A: 1 })
