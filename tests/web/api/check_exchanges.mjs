// Holds every recorded exchange (JSON lines, web/api/recorder.hpp) against openapi.yaml: known operation, documented
// status, media type, headers, parameters and body. Fails as well on an operation or documented status that no
// exchange exercised.
//
//   node check_exchanges.mjs EXCHANGES.jsonl [OPENAPI.yaml]

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

const [recorded, described = fileURLToPath(new URL('../../../web/api/openapi.yaml', import.meta.url))] = process.argv.slice(2);
if (!recorded) {
  console.error('usage: node check_exchanges.mjs EXCHANGES.jsonl [OPENAPI.yaml]');
  process.exit(2);
}

const api = parse(readFileSync(described, 'utf8'));
const ajv = new Ajv2020({ strict: false, allErrors: false });
addFormats(ajv);
ajv.addSchema({ $id: 'api', components: api.components }, 'api');

const failures = new Map();
function fail(text, line) {
  const entry = failures.get(text) ?? { count: 0, line };
  ++entry.count;
  failures.set(text, entry);
}

const resolve = (node) =>
  node?.$ref ? resolve(node.$ref.slice(2).split('/').reduce((at, key) => at[key.replaceAll('~1', '/')], api)) : node;

// References inside schemas are meant against the whole document.
const absolute = (schema) => JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"api#/components/'));
const compiled = new Map();
function validator(schema) {
  const key = JSON.stringify(schema);
  if (!compiled.has(key)) compiled.set(key, ajv.compile(absolute(schema)));
  return compiled.get(key);
}

const operations = new Map();
for (const [path, item] of Object.entries(api.paths))
  for (const method of ['get', 'put', 'post', 'delete', 'patch']) {
    const operation = item[method];
    if (!operation) continue;
    if (operations.has(operation.operationId)) fail(`operationId ${operation.operationId} is there twice`, 0);
    operations.set(operation.operationId, {
      path,
      method: method.toUpperCase(),
      operation,
      parameters: [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(resolve),
      seen: new Set(),
    });
  }

const base = (type) => type.split(';')[0].trim();

function checkBody(where, content, type, body, bytes, line) {
  if (!content) {
    if (bytes > 0) fail(`${where}: a body where none is documented`, line);
    return;
  }
  const media = content[base(type)];
  if (!media) return fail(`${where}: media type '${base(type)}' is not documented`, line);
  if (!base(type).endsWith('json')) return;
  if (body === null && bytes > 256 * 1024) return;   // too large to be recorded
  const valid = validator(media.schema);
  if (!valid(body)) fail(`${where}: ${ajv.errorsText(valid.errors, { dataVar: 'body' })}`, line);
}

function checkRequest(where, known, exchange, line) {
  for (const name of new URLSearchParams(exchange.query).keys())
    if (!known.parameters.some((p) => p.in === 'query' && p.name === name))
      fail(`${where}: accepted the query parameter '${name}', which is not documented`, line);
  const wanted = resolve(known.operation.requestBody);
  if (!wanted) {
    if (exchange.request !== null) fail(`${where}: accepted a body, none is documented`, line);
    return;
  }
  checkBody(`${where} request`, wanted.content, exchange.request_type, exchange.request, 1, line);
}

let count = 0;
readFileSync(recorded, 'utf8').split('\n').forEach((text, index) => {
  if (!text) return;
  const line = index + 1;
  const exchange = JSON.parse(text);
  ++count;
  if (!exchange.operation) {
    // Nothing of ours was asked for: the refusal must be a problem all the same.
    if (![404, 405].includes(exchange.status)) fail(`${exchange.method} ${exchange.path}: ${exchange.status} without an operation`, line);
    checkBody(`${exchange.method} (no operation)`, api.components.responses.NotFound.content, exchange.response_type,
              exchange.response, exchange.response_bytes, line);
    return;
  }
  const known = operations.get(exchange.operation);
  if (!known) return fail(`operation ${exchange.operation} is not described`, line);
  const where = `${exchange.operation} ${exchange.status}`;
  if (exchange.method !== known.method && !(exchange.method === 'HEAD' && known.method === 'GET'))
    fail(`${where}: method ${exchange.method}`, line);
  const pattern = new RegExp(`^${known.path.replaceAll('.', '\\.').replaceAll(/\{[^}]+\}/g, '[^/]+')}$`);
  if (!pattern.test(exchange.path)) fail(`${where}: path ${exchange.path} is not ${known.path}`, line);
  const answer = resolve(known.operation.responses[String(exchange.status)]);
  if (!answer) return fail(`${where}: this status is not documented`, line);
  known.seen.add(String(exchange.status));
  const headers = new Map(Object.entries(exchange.headers).map(([name, value]) => [name.toLowerCase(), value]));
  for (const [name, header] of Object.entries(answer.headers ?? {}))
    if (resolve(header).required && !headers.has(name.toLowerCase())) fail(`${where}: header ${name} is missing`, line);
  checkBody(where, answer.content, exchange.response_type, exchange.response, exchange.response_bytes, line);
  if (exchange.status === 401 && headers.get('www-authenticate') !== 'Bearer') fail(`${where}: no WWW-Authenticate`, line);
  if (exchange.status < 300) checkRequest(where, known, exchange, line);
});

let statuses = 0;
for (const [name, { operation, seen }] of operations)
  for (const status of Object.keys(operation.responses)) {
    ++statuses;
    if (!seen.has(status)) fail(`${name} ${status}: never exercised`, 0);
  }

for (const [text, { count: times, line }] of failures)
  console.error(`${text}${line ? ` (line ${line}${times > 1 ? `, ${times} times` : ''})` : ''}`);
console.log(`${count} exchanges, ${operations.size} operations, ${statuses} documented statuses: ` +
            (failures.size ? `${failures.size} failures` : 'all as described, all exercised'));
process.exit(failures.size ? 1 : 0);
