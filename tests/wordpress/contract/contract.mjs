// Holds what the REST API answered against the OpenAPI document that it serves.
//
//   node contract.mjs DOCUMENT EXCHANGES
//
// DOCUMENT is the document, EXCHANGES a list of { method, path, status, body, sent }. Ends with 1 at the first thing that does
// not hold: the document is OpenAPI 3.1; every exchange is an operation of it, with a status and an answer as it says, without a
// property that it does not name; every operation was seen to succeed.
import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

const [document, exchanges] = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, 'utf8')));

const { valid, errors } = await new Validator().validate(structuredClone(document));
if (!valid) fail('the document is no OpenAPI', errors);
if (document.openapi !== '3.1.0') fail(`the document is OpenAPI ${document.openapi}`);

const ajv = new Ajv({ strict: false, allErrors: true });
formats(ajv);
ajv.addSchema({ $id: 'document', ...document });

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation, pattern: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}$`) })),
);
const ids = operations.map(({ operation }) => operation.operationId);
if (new Set(ids).size !== ids.length) fail('two operations have one id', ids);

const succeeded = new Set();
for (const { method, path, status, body, sent } of exchanges) {
  const name = `${method} ${path} → ${status}`;
  // The longest path wins: /webhooks/x/test is not /webhooks/{id}.
  const found = operations.find((one) => one.method === method.toLowerCase() && one.pattern.test(path));
  if (!found) fail(`${name}: no operation of the document`);
  const { operation, path: template } = found;
  const key = operation.responses[status] ? String(status) : `${String(status)[0]}XX`;
  if (!operation.responses[key]) fail(`${name}: the document knows no such status`);
  const place = operation.responses[key].$ref
    ? operation.responses[key].$ref.slice(1)
    : pointer('paths', template, found.method, 'responses', key);
  hold(name, `${place}/content/application~1json/schema`, body);
  if (status < 400) {
    succeeded.add(operation.operationId);
    if (sent && operation.requestBody) hold(`${name}, what was sent`, pointer('paths', template, found.method, 'requestBody', 'content', 'application/json', 'schema'), sent);
  }
}
const unseen = ids.filter((id) => !succeeded.has(id));
if (unseen.length) fail('never seen to succeed', unseen);
console.log(`${ids.length} operations, ${exchanges.length} answers, in order`);

function hold(name, place, value) {
  const fits = ajv.compile({ $ref: `document#${place}` });
  if (!fits(value)) fail(name, fits.errors);
  const undeclared = strangers(resolve(place), value);
  if (undeclared.length) fail(`${name}: not in the document`, undeclared);
}

// Properties that the document does not name, at any depth where it names some.
function strangers(schema, value, at = '') {
  if (schema?.$ref) return strangers(resolve(schema.$ref.slice(1)), value, at);
  if (Array.isArray(value) && schema?.items) return value.flatMap((one) => strangers(schema.items, one, `${at}[]`));
  if (!value || typeof value !== 'object' || Array.isArray(value) || !schema?.properties) return [];
  return Object.entries(value).flatMap(([key, one]) =>
    key in schema.properties ? strangers(schema.properties[key], one, `${at}.${key}`) : schema.additionalProperties === true ? [] : [`${at}.${key}`],
  );
}

function resolve(place) {
  return place.split('/').slice(1).reduce((node, key) => node[decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~')], document);
}

// A JSON pointer; braces of a path are not allowed in a URI.
function pointer(...keys) {
  return keys.map((key) => `/${encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');
}

function fail(what, why = '') {
  console.error(what, typeof why === 'string' ? why : JSON.stringify(why, null, 2));
  process.exit(1);
}
