// SPDX-License-Identifier: Apache-2.0
// ioredis with its defaults: RESP3.
'use strict';

const Redis = require('ioredis');
const { begin, end, fail, host, port, step } = require('./steps');

const FAR = 4102444800; // the year 2100
const BIG = '0123456789abcdef'.repeat(65536);
const BINARY = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
const numbers = [...Array(20).keys()];

async function connections(r) {
  await step('status', () => r.status);
  await step('ping', () => r.ping());
  await step('ping with words', () => r.ping('hello'));
  await step('echo', () => r.echo('hello'));
  await step('hello: proto', async () => {
    const reply = await r.hello();
    return Array.isArray(reply) ? reply[reply.indexOf('proto') + 1] : reply.proto;
  });
  await step('client setname', () => r.client('SETNAME', 'tester'));
  await step('client getname', () => r.client('GETNAME'));
  await step('client id', async () => (await r.client('ID')) > 0);
  await step('client list', async () => /\bname=tester\b/.test(await r.client('LIST')));
  await step('select', () => r.select(0));
  await step('time', async () => (await r.time()).map((part) => typeof part));
  await step('role', () => r.role());
  await step('info: what clients read', async () =>
    (await r.info()).match(/^(redis_mode|role|loading):\w+/gm));
  await step('info of one section', async () => (await r.info('replication')).match(/role:\w+/)[0]);
  await step('config get', () => r.config('GET', 'appendonly'));
  await step('command count', async () => typeof (await r.command('COUNT')));
  await step('command getkeys', () => r.command('GETKEYS', 'MSET', 'a', 1, 'b', 2));
  await step('command info', () => r.command('INFO', 'get'));
  await step('acl whoami', () => r.acl('WHOAMI'));
  await step('wait', () => r.wait(0, 0));
}

async function strings(r) {
  await step('set', () => r.set('s', 'value'));
  await step('get', () => r.get('s'));
  await step('getBuffer', () => r.getBuffer('s'));
  await step('get of nothing', () => r.get('none'));
  await step('set of a number', () => r.set('int', 12));
  await step('set NX', () => r.set('s', 'x', 'NX'));
  await step('set EX', () => r.set('ex', 'v', 'EX', 1000));
  await step('setnx', () => r.setnx('fresh', 1));
  await step('setex', () => r.setex('ex', 1000, 'v'));
  await step('psetex', () => r.psetex('px', 1000000, 'v'));
  await step('getset', () => r.getset('s', 'second'));
  await step('getdel', () => r.getdel('fresh'));
  await step('getex', () => r.getex('ex', 'PERSIST'));
  await step('append', () => r.append('s', '!'));
  await step('strlen', () => r.strlen('s'));
  await step('getrange', () => r.getrange('s', 1, 3));
  await step('setrange', () => r.setrange('s', 2, 'XY'));
  await step('incr', () => r.incr('int'));
  await step('incrby', () => r.incrby('int', 30));
  await step('decr', () => r.decr('int'));
  await step('incrbyfloat', () => r.incrbyfloat('int', 0.25));
  await step('mset', () => r.mset(numbers.flatMap((i) => [`m${i}`, i])));
  await step('mset of a Map', () => r.mset(new Map([['map1', 'a'], ['map2', 'b']])));
  await step('mget', () => r.mget([...numbers.map((i) => `m${i}`), 'none']));
  await step('msetnx', () => r.msetnx('{nx}a', 1, '{nx}b', 2));
  await step('lcs', () => r.lcs('{nx}a', '{nx}b', 'IDX'));
  await step('setbit', () => r.setbit('bits', 7, 1));
  await step('getbit', () => r.getbit('bits', 7));
  await step('bitcount', () => r.bitcount('bits'));
  await step('bitfield', () => r.bitfield('bits', 'INCRBY', 'u8', 0, 5));
}

async function keys(r) {
  await step('exists', () => r.exists('m1', 'm2', 'none'));
  await step('touch', () => r.touch('m1', 'none'));
  await step('type', () => r.type('s'));
  await step('expire', () => r.expire('m1', 1000));
  await step('pexpire', () => r.pexpire('m2', 1000000));
  await step('expireat', () => r.expireat('m3', FAR));
  await step('expiretime', () => r.expiretime('m3'));
  await step('ttl is near', async () => (await r.ttl('m1')) > 900);
  await step('ttl of nothing', () => r.ttl('none'));
  await step('persist', () => r.persist('m1'));
  await step('rename', () => r.rename('{nx}a', '{nx}c'));
  await step('renamenx', () => r.renamenx('{nx}b', '{nx}c'));
  await step('object encoding', () => r.object('ENCODING', 'm5'));
  await step('dumpBuffer', () => r.dumpBuffer('m5'));
  await step('restore', async () => r.restore('restored', 0, await r.dumpBuffer('m5')));
  await step('unlink', () => r.unlink('m1', 'm2', 'none'));
  await step('del', () => r.del(numbers.map((i) => `m${i}`)));
}

async function hashes(r) {
  await step('hset', () => r.hset('h', { a: 1, b: 'two' }));
  await step('hmset', () => r.hmset('h', 'c', 3.5));
  await step('hget', () => r.hget('h', 'b'));
  await step('hget of nothing', () => r.hget('h', 'none'));
  await step('hgetall', () => r.hgetall('h'));
  await step('hgetallBuffer', () => r.hgetallBuffer('h'));
  await step('hgetall of nothing', () => r.hgetall('none'));
  await step('hmget', () => r.hmget('h', 'a', 'none'));
  await step('hincrby', () => r.hincrby('h', 'a', 5));
  await step('hincrbyfloat', () => r.hincrbyfloat('h', 'c', 0.5));
  await step('hexists', () => r.hexists('h', 'b'));
  await step('hkeys', () => r.hkeys('h'));
  await step('hvals', () => r.hvals('h'));
  await step('hlen', () => r.hlen('h'));
  await step('hrandfield', () => r.hrandfield('h', 9, 'WITHVALUES'));
  await step('hscan', () => r.hscan('h', 0));
  await step('hscanStream', async () => {
    const found = [];
    for await (const some of r.hscanStream('h')) found.push(some);
    return found;
  });
  await step('hdel', () => r.hdel('h', 'a', 'none'));
}

async function lists(r) {
  await step('rpush', () => r.rpush('l', 'a', 'b', 'c', 'd'));
  await step('lpush', () => r.lpush('l', 'z'));
  await step('lrange', () => r.lrange('l', 0, -1));
  await step('llen', () => r.llen('l'));
  await step('lindex', () => r.lindex('l', 2));
  await step('lset', () => r.lset('l', 2, 'B'));
  await step('linsert', () => r.linsert('l', 'BEFORE', 'B', 'new'));
  await step('lpos', () => r.lpos('l', 'B'));
  await step('lrem', () => r.lrem('l', 1, 'new'));
  await step('ltrim', () => r.ltrim('l', 0, 3));
  await step('lpop', () => r.lpop('l'));
  await step('rpop of two', () => r.rpop('l', 2));
  await step('lpop of nothing', () => r.lpop('none'));
  await step('rpoplpush', async () => [await r.rpush('{l}a', 1, 2),
    await r.rpoplpush('{l}a', '{l}b')]);
  await step('lmpop', () => r.lmpop(2, '{l}a', '{l}b', 'LEFT'));
}

async function sets(r) {
  await step('sadd', () => r.sadd('{t}1', 'a', 'b', 'c'));
  await step('sadd more', () => r.sadd('{t}2', ['b', 'c', 'd']));
  await step('smembers', async () => [...(await r.smembers('{t}1'))].sort());
  await step('smembers: kind', async () => (await r.smembers('{t}1')).constructor.name);
  await step('sismember', () => r.sismember('{t}1', 'a'));
  await step('smismember', () => r.smismember('{t}1', 'a', 'x'));
  await step('scard', () => r.scard('{t}1'));
  await step('sinter', async () => [...(await r.sinter('{t}1', '{t}2'))].sort());
  await step('sunion', async () => [...(await r.sunion('{t}1', '{t}2'))].sort());
  await step('sdiffstore', () => r.sdiffstore('{t}3', '{t}1', '{t}2'));
  await step('smove', () => r.smove('{t}1', '{t}2', 'a'));
  await step('srem', () => r.srem('{t}1', 'b', 'x'));
  await step('spop', () => r.spop('{t}1'));
  await step('srandmember of nothing', () => r.srandmember('{t}1'));
  await step('sscan', async () => (await r.sscan('{t}2', 0))[1].sort());
}

async function sortedSets(r) {
  await step('zadd', () => r.zadd('{z}1', 1, 'a', 2.5, 'b', 'inf', 'c'));
  await step('zadd incr', () => r.zadd('{z}1', 'INCR', 0.25, 'a'));
  await step('zscore', () => r.zscore('{z}1', 'b'));
  await step('zscore of infinity', () => r.zscore('{z}1', 'c'));
  await step('zscore of nothing', () => r.zscore('{z}1', 'none'));
  await step('zmscore', () => r.zmscore('{z}1', 'a', 'none'));
  await step('zincrby', () => r.zincrby('{z}1', 0.5, 'a'));
  await step('zcount', () => r.zcount('{z}1', '-inf', 2));
  await step('zrank', () => r.zrank('{z}1', 'b'));
  await step('zrange', () => r.zrange('{z}1', 0, -1));
  await step('zrange withscores', () => r.zrange('{z}1', 0, -1, 'WITHSCORES'));
  await step('zrangebyscore', () => r.zrangebyscore('{z}1', 1, 3, 'WITHSCORES'));
  await step('zscan', () => r.zscan('{z}1', 0));
  await step('zunionstore', () => r.zunionstore('{z}2', 1, '{z}1'));
  await step('zunion', () => r.zunion(2, '{z}1', '{z}2', 'WITHSCORES'));
  await step('zpopmin', () => r.zpopmin('{z}1'));
  await step('zpopmax of two', () => r.zpopmax('{z}2', 2));
  await step('zrem', () => r.zrem('{z}1', 'b', 'none'));
  await step('geoadd', () => r.geoadd('geo', 13.361389, 38.115556, 'Palermo', 15.087269, 37.502669,
    'Catania'));
  await step('geodist', () => r.geodist('geo', 'Palermo', 'Catania', 'KM'));
  await step('geopos', () => r.geopos('geo', 'Palermo', 'none'));
  await step('geosearch', () => r.geosearch('geo', 'FROMLONLAT', 15, 37, 'BYRADIUS', 200, 'KM',
    'ASC', 'WITHCOORD', 'WITHDIST'));
}

async function streams(r) {
  await step('xadd', () => r.xadd('x', '1-1', 'a', 1));
  await step('xadd second', () => r.xadd('x', '1-2', 'b', 2));
  await step('xlen', () => r.xlen('x'));
  await step('xrange', () => r.xrange('x', '-', '+'));
  await step('xread', () => r.xread('STREAMS', 'x', 0));
  await step('xread of nothing', () => r.xread('STREAMS', 'x', '1-2'));
  await step('xgroup create', () => r.xgroup('CREATE', 'x', 'g', 0));
  await step('xreadgroup', () => r.xreadgroup('GROUP', 'g', 'me', 'COUNT', 1, 'STREAMS', 'x', '>'));
  await step('xpending', () => r.xpending('x', 'g'));
  await step('xack', () => r.xack('x', 'g', '1-1'));
  await step('xinfo', () => r.xinfo('GROUPS', 'x'));
  await step('xdel', () => r.xdel('x', '1-2'));
}

async function others(r) {
  await step('pfadd', () => r.pfadd('p', 'a', 'b'));
  await step('pfcount', () => r.pfcount('p'));
  await step('eval', () => r.eval('return {KEYS[1], ARGV[1], 3.7, false}', 1, 'k', 'v'));
  await step('eval of a map', () => r.eval('redis.setresp(3); return {map={a=1}}', 1, 'k'));
  await step('eval of a double', () => r.eval('return {double=1.5}', 1, 'k'));
  await step('eval of a boolean', () => r.eval('redis.setresp(3); return true', 1, 'k'));
  await step('evalsha of nothing', () => r.evalsha('0'.repeat(40), 1, 'k'));
  await step('a command of our own', () => {
    r.defineCommand('twice', { numberOfKeys: 1, lua: 'return {KEYS[1], ARGV[1], ARGV[1]}' });
    return r.twice('k', 'v');
  });
}

async function pipelines(r) {
  await step('pipeline', () => numbers.reduce((pipe, i) =>
    pipe.set(`pipe${i}`, i).get(`pipe${i}`), r.pipeline()).exec());
  await step('pipeline with an error', () => r.pipeline().set('s', 1).lpush('s', 1).get('s').exec());
  await step('pipeline of a list', () => r.pipeline([['get', 's'], ['hgetall', 'h']]).exec());
  await step('all at once', () => Promise.all(numbers.map((i) => r.get(`pipe${i}`))));
}

async function sizesAndBytes(r) {
  await step('set of 1 MiB', () => r.set('big', BIG));
  await step('get of 1 MiB', () => r.get('big'));
  await step('mget of 1 MiB', () => r.mget('big', 'none'));
  await step('set of an empty value', () => r.set('empty', ''));
  await step('get of an empty value', () => r.get('empty'));
  await step('set of a binary key', () => r.set(BINARY, BINARY));
  await step('get of a binary key', () => r.getBuffer(BINARY));
  await step('set of text', () => r.set('ключ', 'значение'));
  await step('get of text', () => r.get('ключ'));
}

async function errors(r) {
  await step('wrong type', async () => [await r.rpush('list', 1), await r.get('list')]);
  await step('not an integer', async () => [await r.set('s', 'text'), await r.incr('s')]);
  await step('too few arguments', () => r.call('GET'));
  await step('unknown command', () => r.call('NOSUCH', 'a', 'b'));
  await step('get after errors', () => r.get('s'));
}

async function ends(r) {
  const again = new Promise((ready) => r.once('ready', ready));
  await step('client kill of itself', async () => {
    const killed = await r.client('KILL', 'ID', await r.client('ID'), 'SKIPME', 'no');
    await again;
    return killed;
  });
  await step('get after the kill', () => r.get('s'));
  await step('disconnect', async () => {
    const closed = new Promise((end) => r.once('end', end));
    r.disconnect();
    await closed;
    return r.status;
  });
  await step('get after disconnect', () => r.get('s'));
  await step('connect again', () => r.connect());
  await step('get after that', () => r.get('s'));
  await step('quit', () => r.quit());
  const other = new Redis(`redis://${host}:${port}/0`, {
    connectionName: 'named', keyPrefix: 'prefix:', lazyConnect: true, enableAutoPipelining: true });
  await step('its name', () => other.client('GETNAME'));
  await step('set behind a prefix', () => other.set('k', 'v'));
  await step('automatic pipeline', () => Promise.all([other.get('k'), other.get('none')]));
  await step('duplicate', () => other.duplicate().get('k'));
  const plain = new Redis(port, host, { protocol: 2 });
  await step('hgetall by RESP2', () => plain.hgetall('h'));
  await step('zscore by RESP2', () => plain.zscore('{z}1', 'c'));
  const lost = new Redis(1, host, { retryStrategy: null, lazyConnect: true });
  lost.on('error', () => {});
  await step('no server', () => lost.connect());
}

async function main() {
  begin(require('ioredis/package.json').version, 'RESP3');
  const r = new Redis(port, host);
  // By default it tries for ever: the first failure is the end.
  let connected = false;
  r.on('error', (error) => connected || fail(error));
  await new Promise((ready) => r.once('ready', ready));
  connected = true;
  for (const part of [connections, strings, keys, hashes, lists, sets, sortedSets, streams, others,
    pipelines, sizesAndBytes, errors, ends]) {
    await part(r);
  }
  end();
}

main();
