'use strict'

const { Redactor, RedactorStream, explain, reviewDotenv, validateName } = require('./secrets-core.node')

// Names one by one, so that `import { Redactor } from 'secrets-core'` finds them.
module.exports = { Redactor, RedactorStream, explain, reviewDotenv, validateName }
