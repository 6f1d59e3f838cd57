// The examples in secrets-core/tests/data, which Rust's own tests read too, and what is Node's own.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'

import { Redactor, RedactorStream, explain, reviewDotenv, validateName } from '../index.js'

function examples(file) {
  const found = JSON.parse(readFileSync(new URL(`../../../../secrets-core/tests/data/${file}`, import.meta.url)))
  assert.ok(found.length > 0)
  return found
}

function member(example, name) {
  return name in example ? Buffer.from(example[name]) : Buffer.from(example[`${name}_base64`], 'base64')
}

function redactor({ secrets }) {
  const off = secrets.filter(({ redaction }) => redaction === 'OFF').map(({ name }) => name)
  return new Redactor(Object.fromEntries(secrets.map((secret) => [secret.name, member(secret, 'value')])), off)
}

describe('judges names', () => {
  for (const { name, name_policy, target_kind, verdict } of examples('names.json')) {
    test(JSON.stringify(name), () => assert.deepEqual(validateName(name, name_policy, target_kind), verdict))
  }
})

describe('reviews documents', () => {
  for (const example of examples('dotenv.json')) {
    test(example.about, () => {
      assert.deepEqual(reviewDotenv(member(example, 'document'), example.rules), example.review)
    })
  }
})

describe('explains', () => {
  for (const { about, question, explanation } of examples('explain.json')) {
    test(about, () => assert.deepEqual(explain(question), explanation))
  }
})

describe('masks in pieces of any size', () => {
  for (const example of examples('redact.json')) {
    test(example.about, () => {
      const [masks, input, output] = [redactor(example), member(example, 'input'), member(example, 'output')]
      for (let size = 1; size <= input.length; size++) {
        const stream = masks.stream()
        const pieces = []
        for (let at = 0; at < input.length; at += size) pieces.push(stream.push(input.subarray(at, at + size)))
        assert.deepEqual(Buffer.concat([...pieces, stream.finish()]), output)
      }
      assert.deepEqual(masks.redact(input), output)
      assert.deepEqual(masks.unmasked, example.unmasked)
    })
  }
})

describe('streams', () => {
  for (const example of examples('redact_stream.json')) {
    test(example.about, () => {
      const stream = redactor(example).stream()
      for (const { push, pause, output } of example.steps) {
        const given = push !== undefined ? stream.push(Buffer.from(push)) : pause ? stream.pause() : stream.finish()
        assert.equal(given.toString(), output)
      }
    })
  }
})

test('takes text and bytes as values', () => {
  const masks = new Redactor({ A: 'schlüssel', B: new Uint8Array([255, 254, 253, 252, 251, 250]) })
  assert.equal(masks.redact(Buffer.from('schlüssel.')).toString(), '***.')
  assert.equal(masks.redact(Buffer.from([1, 255, 254, 253, 252, 251, 250])).toString('latin1'), '\x01***')
  assert.deepEqual([masks.replacement, masks.isEmpty, new Redactor({}).isEmpty], ['***', false, true])
})

test('says how much is held back', () => {
  const stream = new Redactor({ A: 'lin_api_0123' }).stream()
  assert.ok(stream instanceof RedactorStream)
  assert.equal(stream.push(Buffer.from('key: lin_')).toString(), 'key: ')
  assert.equal(stream.heldBack, 4)
})

test('refuses what it does not understand and never repeats a value', () => {
  for (const call of [
    () => validateName('A', 'LAX'),
    () => reviewDotenv(Buffer.from(''), { only: ['a-b'] }),
    () => reviewDotenv(Buffer.from(''), { existng: {} }),
    () => reviewDotenv(Buffer.from(''), { existing: { A: '4711' } }),
    () => explain({ context: { organization: 'x' }, now: 0, candidates: [] }),
    () => new Redactor({ A: 47114711 }),
  ]) {
    assert.throws(call, (error) => error instanceof Error && error.code === 'InvalidArg' && !/4711/.test(error.message))
  }
})
