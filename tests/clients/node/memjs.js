// SPDX-License-Identifier: Apache-2.0
// memjs with its defaults: the binary protocol.
'use strict';

const memjs = require('memjs');
const { begin, end, host, port, step } = require('./steps');

const FAR = 2100000000; // in 2036
const BIG = '0123456789abcdef'.repeat(65000);
const BYTES = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
const keys = [...Array(30).keys()].map((i) => `m${i}`);
// Longer than the half second by default: a busy machine is no finding.
const patient = { logger: { log() {} }, timeout: 20, conntimeout: 20 };

function connect(options) {
  return memjs.Client.create(`${host}:${port}`, { ...patient, ...options });
}

async function text(promise) {
  const { value } = await promise;
  return value && value.toString();
}

// stats() calls back once per server.
function stats(c) {
  return new Promise((found, lost) => {
    c.stats((error, server, names) => (error ? lost(error) : found(names)));
  });
}

function called(method, ...words) {
  return new Promise((done, failed) => {
    method(...words, (error, answer) => (error ? failed(error) : done(answer)));
  });
}

async function connections(c) {
  await step('stats: names', async () => {
    const names = await stats(c);
    return ['pid', 'uptime', 'curr_connections', 'version'].filter((name) => name in names);
  });
}

async function values(c) {
  await step('set', () => c.set('s', 'value'));
  await step('get', () => text(c.get('s')));
  await step('get of nothing', () => c.get('none'));
  await step('get: flags', async () => (await c.get('s')).flags);
  await step('set of a number as text', () => c.set('int', '12'));
  await step('get of a number as text', () => text(c.get('int')));
  await step('set of a number', () => c.set('number', 12));
  await step('set of bytes', () => c.set('bytes', BYTES));
  await step('get of bytes', async () => (await c.get('bytes')).value);
  await step('set with a time', () => c.set('timed', 'v', { expires: 1000 }));
  await step('set to the year 2036', () => c.set('far', 'v', { expires: FAR }));
  await step('get of the far', () => text(c.get('far')));
  await step('add', () => c.add('added', '1'));
  await step('add again', () => c.add('added', '2'));
  await step('add with a time', () => c.add('added2', '2', { expires: 1000 }));
  await step('get of the added', () => text(c.get('added')));
  await step('replace', () => c.replace('s', 'third'));
  await step('replace with a time', () => c.replace('s', 'third', { expires: 1000 }));
  await step('replace of nothing', () => c.replace('none', 'x'));
  await step('append', () => c.append('s', '!'));
  await step('append to nothing', () => c.append('none', 'x'));
  await step('prepend', () => c.prepend('s', '<'));
  await step('prepend to nothing', () => c.prepend('none', 'x'));
  await step('get of the joined', () => text(c.get('s')));
  await step('touch', () => c.touch('s', 1000));
  await step('touch of nothing', () => c.touch('none', 1000));
}

async function numbers(c) {
  await step('increment', () => c.increment('int', 5));
  await step('increment by one', () => c.increment('int', 1));
  await step('decrement', () => c.decrement('int', 7));
  await step('decrement below zero', () => c.decrement('int', 100));
  await step('get of the number', () => text(c.get('int')));
  await step('increment of nothing: starts', () => c.increment('counter', 1, { initial: 5 }));
  await step('increment of the started', () => c.increment('counter', 10));
  await step('decrement of nothing: starts', () => c.decrement('down', 1, { initial: 50 }));
  await step('decrement of the started', () => c.decrement('down', 10));
  await step('increment with a time', () => c.increment('counter2', 1, { expires: 1000 }));
  await step('increment of text', () => c.increment('s', 1));
}

async function many(c) {
  await step('set of many at once', () => Promise.all(keys.map((key) => c.set(key, key))));
  await step('get of many at once', () => Promise.all(keys.map((key) => text(c.get(key)))));
  await step('get of many, some missing', () => Promise.all(['m1', 'none', 'm2'].map((key) =>
    text(c.get(key)))));
  await step('delete', () => c.delete('m0'));
  await step('delete of nothing', () => c.delete('m0'));
  await step('get of the deleted', () => text(c.get('m0')));
  await step('delete of many at once', () => Promise.all(['m1', 'm2', 'none'].map((key) =>
    c.delete(key))));
  await step('get after deletes', () => Promise.all(['m1', 'm2', 'm3'].map((key) =>
    text(c.get(key)))));
}

async function callbacks(c) {
  await step('set with a callback', () => called(c.set.bind(c), 'called', 'v', {}));
  await step('get with a callback', async () => String(await called(c.get.bind(c), 'called')));
  await step('add with a callback', () => called(c.add.bind(c), 'called', 'v', {}));
  await step('delete with a callback', () => called(c.delete.bind(c), 'called'));
  await step('get of nothing with a callback', () => called(c.get.bind(c), 'called'));
}

async function sizesAndBytes(c) {
  await step('set of 1 MB', () => c.set('big', BIG));
  await step('get of 1 MB', () => text(c.get('big')));
  await step('append of 1 kB', () => c.append('s', BIG.slice(0, 1000)));
  await step('get of what was appended', () => text(c.get('s')));
  await step('set of an empty value', () => c.set('empty', ''));
  await step('get of an empty value', () => text(c.get('empty')));
  await step('set of the longest key', () => c.set('k'.repeat(250), 'long'));
  await step('get of the longest key', () => text(c.get('k'.repeat(250))));
  await step('set of a key with a space', () => c.set('a b', 'spaced'));
  await step('get of a key with a space', () => text(c.get('a b')));
  await step('set of text', () => c.set('ключ', 'значение'));
  await step('get of text', () => text(c.get('ключ')));
}

async function ends(c) {
  const other = connect({ expires: 1000, keepAlive: true });
  await step('get of another client', () => text(other.get('m3')));
  await step('set that expires by default', () => other.set('o', 'v'));
  await step('quit', () => other.quit());
  await step('close', () => c.close());
  await step('get after close', () => text(c.get('m3')));
  await step('flush', async () => Object.values(await c.flush()));
  await step('get of the flushed', () => Promise.all(keys.map((key) => text(c.get(key)))));
  await step('set after the flush', () => c.set('s', 'new'));
  await step('get after the flush', () => text(c.get('s')));
  await step('no server', () => memjs.Client.create(`${host}:1`, { ...patient, retries: 1 })
    .get('s'));
}

async function main() {
  begin(require('memjs/package.json').version, 'binary');
  const c = connect();
  for (const part of [connections, values, numbers, many, callbacks, sizesAndBytes, ends]) {
    await part(c);
  }
  end();
}

main();
