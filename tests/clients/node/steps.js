// SPDX-License-Identifier: Apache-2.0
// How the Node.js scripts print: a line per call, with the type of what came back.
'use strict';

const { createHash } = require('node:crypto');
const { inspect } = require('node:util');

const LONG = 200;
const [host, port] = [process.argv[2], Number(process.argv[3])];

function digest(value) {
  return createHash('md5').update(value).digest('hex');
}

// As Node.js would show it; long strings are told by their length and sum.
function show(value) {
  if ((typeof value === 'string' || Buffer.isBuffer(value)) && value.length > LONG) {
    const kind = Buffer.isBuffer(value) ? 'Buffer' : 'string';
    return `${kind} of ${value.length}, md5 ${digest(value)}`;
  }
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (value instanceof Error) {
    return `${value.constructor.name}: ${value.message || value.code || value.errors}`;
  }
  if (value && [Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    const fields = Object.entries(value).map(([name, field]) => `${name}: ${show(field)}`);
    return `{${fields.join(', ')}}`;
  }
  return inspect(value, { depth: 4, breakLength: Infinity, maxArrayLength: null });
}

function begin(version, protocol) {
  console.log(`# version: ${version}\n# protocol: ${protocol}`);
}

// One named call. An error is an answer too.
async function step(name, call) {
  let text;
  try {
    text = show(await call());
  } catch (error) {
    text = `raised ${show(error)}`;
  }
  console.log(`${name} -> ${text.replaceAll('\n', '\\n')}`);
}

// A client that keeps the process alive after its end would hang the test.
function end() {
  console.log('# end');
  process.exit(0);
}

// Where going on would be waiting for nothing.
function fail(error) {
  console.error(error);
  process.exit(1);
}

module.exports = { host, port, begin, step, end, fail };
