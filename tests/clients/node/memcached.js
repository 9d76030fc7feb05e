// SPDX-License-Identifier: Apache-2.0
// memcached (npm) with its defaults: the text protocol.
'use strict';

const { promisify } = require('node:util');
const Memcached = require('memcached');
const { begin, end, host, port, step } = require('./steps');

const FAR = 2100000000; // in 2036
const BIG = '0123456789abcdef'.repeat(65000);
const BYTES = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
const keys = [...Array(40).keys()].map((i) => `m${i}`);

// The same client with promises instead of callbacks.
function connect(address, options) {
  const client = new Memcached(address, options);
  return new Proxy(client, {
    get: (_, name) => (name === 'end' ? client.end.bind(client)
      : promisify(client[name]).bind(client)),
  });
}

async function connections(c) {
  await step('version: three numbers', async () => (await c.version())[0].version.split('.').length);
  await step('stats: names', async () => {
    const [names] = await c.stats();
    return ['pid', 'uptime', 'curr_connections', 'version'].filter((name) => name in names);
  });
}

async function values(c) {
  await step('set', () => c.set('s', 'value', 0));
  await step('get', () => c.get('s'));
  await step('get of nothing', () => c.get('none'));
  await step('set of a number', () => c.set('int', 12, 0));
  await step('get of a number', () => c.get('int'));
  await step('set of an object', () => c.set('object', { a: [1, null, 'x'] }, 0));
  await step('get of an object', () => c.get('object'));
  await step('set of a boolean', () => c.set('bool', true, 0));
  await step('get of a boolean', () => c.get('bool'));
  await step('set of bytes', () => c.set('bytes', BYTES, 0));
  await step('get of bytes', () => c.get('bytes'));
  await step('set with a time', () => c.set('timed', 'v', 1000));
  await step('set in the past', () => c.set('past', 'v', -1));
  await step('get of the past', () => c.get('past'));
  await step('set to the year 2036', () => c.set('far', 'v', FAR));
  await step('get of the far', () => c.get('far'));
  await step('add', () => c.add('added', 1, 0));
  await step('add again', () => c.add('added', 2, 0));
  await step('get of the added', () => c.get('added'));
  await step('replace', () => c.replace('s', 'third', 0));
  await step('replace of nothing', () => c.replace('none', 'x', 0));
  await step('append', () => c.append('s', '!'));
  await step('append to nothing', () => c.append('none', 'x'));
  await step('prepend', () => c.prepend('s', '<'));
  await step('prepend to nothing', () => c.prepend('none', 'x'));
  await step('get of the joined', () => c.get('s'));
  await step('touch', () => c.touch('s', 1000));
  await step('touch of nothing', () => c.touch('none', 1000));
}

async function swaps(c) {
  await step('gets: names', async () => Object.keys(await c.gets('s')).map((name) =>
    (name === 'cas' ? 'cas' : name)));
  await step('gets of nothing', () => c.gets('none'));
  await step('cas', async () => c.cas('s', 'swapped', (await c.gets('s')).cas, 0));
  await step('cas that comes too late', () => c.cas('s', 'late', '1', 0));
  await step('cas of nothing', () => c.cas('none', 'x', '1', 0));
  await step('get of the swapped', () => c.get('s'));
}

async function numbers(c) {
  await step('incr', () => c.incr('int', 5));
  await step('increment', () => c.increment('int', 1));
  await step('decr', () => c.decr('int', 7));
  await step('decr below zero', () => c.decr('int', 100));
  await step('incr of nothing', () => c.incr('none', 1));
  await step('incr of text', () => c.incr('s', 1));
  await step('get of the number', () => c.get('int'));
}

async function many(c) {
  await step('set of many at once', () => Promise.all(keys.map((key) => c.set(key, key, 0))));
  await step('get of many at once', () => Promise.all(keys.map((key) => c.get(key))));
  await step('getMulti', async () => Object.entries(await c.getMulti([...keys, 'none'])).sort());
  await step('getMulti of nothing', () => c.getMulti(['none', 'nothing']));
  await step('del', () => c.del('m0'));
  await step('del of nothing', () => c.del('m0'));
  await step('getMulti after deletes', async () =>
    Object.entries(await c.getMulti(['m0', 'm1', 'm2'])).sort());
}

async function sizesAndBytes(c) {
  await step('set of 1 MB', () => c.set('big', BIG, 0));
  await step('get of 1 MB', () => c.get('big'));
  await step('getMulti of 1 MB', () => c.getMulti(['big', 'm1']));
  await step('set of an empty value', () => c.set('empty', '', 0));
  await step('get of an empty value', () => c.get('empty'));
  await step('set of the longest key', () => c.set('k'.repeat(250), 'long', 0));
  await step('get of the longest key', () => c.get('k'.repeat(250)));
  await step('set of a longer key', () => c.set('k'.repeat(300), 'long', 0));
  await step('get of a longer key', () => c.get('k'.repeat(300)));
  await step('set of a key with a space', () => c.set('a b', 'x', 0));
  await step('set of text', () => c.set('ключ', 'значение', 0));
  await step('get of text', () => c.get('ключ'));
  await step('set of lines', () => c.set('lines', 'a\r\nEND\r\nVALUE b 0 1\r\n', 0));
  await step('get of lines', () => c.get('lines'));
}

async function ends(c) {
  const other = connect(`${host}:${port}`, { namespace: 'ns:', poolSize: 2 });
  await step('set in a namespace', () => other.set('k', 'v', 0));
  await step('get in a namespace', () => other.get('k'));
  await step('get of it from outside', () => c.get('ns:k'));
  await step('end of the other', () => other.end());
  await step('flush', () => c.flush());
  await step('getMulti of the flushed', () => c.getMulti(keys));
  await step('set after the flush', () => c.set('s', 'new', 0));
  await step('get after the flush', () => c.get('s'));
  await step('end', () => c.end());
  await step('get of another client', () => connect([`${host}:${port}`]).get('s'));
  await step('no server', () => connect(`${host}:1`, { retries: 0, failures: 0 }).get('s'));
}

async function main() {
  begin(require('memcached/package.json').version, 'text');
  const c = connect(`${host}:${port}`);
  for (const part of [connections, values, swaps, numbers, many, sizesAndBytes, ends]) {
    await part(c);
  }
  end();
}

main();
