'use strict'

const { platform, arch } = process
const compiled = `./secrets-core.${platform}-${arch}.node`

let core
try {
  core = require(compiled)
} catch (error) {
  // Also where a library that it needs is missing: on Linux the GNU C library.
  throw new Error(`secrets-core has nothing compiled for ${platform} ${arch} (${error.message}); build it with \`npm run build\``, { cause: error })
}
const { Redactor, RedactorStream, explain, reviewDotenv, validateName } = core

// Names one by one, so that `import { Redactor } from 'secrets-core'` finds them.
module.exports = { Redactor, RedactorStream, explain, reviewDotenv, validateName }
