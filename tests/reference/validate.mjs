// Reads docs/asyncapi.json with AsyncAPI's own parser, and checks each sample against its schema, which that does not. Any
// complaint but those below ends with 1.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Parser } from '@asyncapi/parser';
import { default as Ajv } from 'ajv';

// It recommends to state an id, contact and the newest version of the specification.
const WELCOME = new Set(['asyncapi-id', 'asyncapi3-info-contact', 'asyncapi-info-contact', 'asyncapi-latest-version']);

const file = process.argv[2] ?? fileURLToPath(new URL('../../docs/asyncapi.json', import.meta.url));
const { document, diagnostics } = await new Parser().parse(readFileSync(file, 'utf8'));
const complaints = diagnostics.filter(({ code }) => !WELCOME.has(code));
for (const { code, message, path } of complaints) console.error(`${path.join('.')}: ${message} (${code})`);
if (!document || complaints.length) process.exit(1);

const messages = document.allMessages().all();
if (document.version() !== '3.0.0') throw new Error(`AsyncAPI ${document.version()}`);
if (messages.length < 60) throw new Error(`only ${messages.length} messages`);
const ajv = new Ajv({ strict: false, validateFormats: false });
for (const message of messages) {
  const fits = ajv.compile(message.json().payload);
  for (const { payload } of message.json().examples) {
    if (!fits(payload)) throw new Error(`the sample of ${message.name()}: ${ajv.errorsText(fits.errors)}`);
  }
}
console.log(`docs/asyncapi.json: ${messages.length} messages, in order`);
