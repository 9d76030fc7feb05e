// SPDX-License-Identifier: Apache-2.0
// node-redis with its defaults: RESP3.
'use strict';

const { createClient, createClientPool, RESP_TYPES } = require('redis');
const { begin, end, fail, host, port, step } = require('./steps');

const FAR = 4102444800; // the year 2100
const BIG = '0123456789abcdef'.repeat(65536);
const BINARY = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
const url = `redis://${host}:${port}`;
const numbers = [...Array(20).keys()];

async function connections(r) {
  await step('isReady', () => r.isReady);
  await step('ping', () => r.ping());
  await step('ping with words', () => r.ping('hello'));
  await step('echo', () => r.echo('hello'));
  await step('hello: proto', async () => (await r.hello()).proto);
  await step('clientSetName', () => r.clientSetName('tester'));
  await step('clientGetName', () => r.clientGetName());
  await step('clientId', async () => (await r.clientId()) > 0);
  await step('clientInfo: name', async () => (await r.clientInfo()).name);
  await step('select', () => r.select(0));
  await step('time', async () => (await r.time()).map((part) => typeof part));
  await step('role', () => r.role());
  await step('info: what clients read', async () =>
    (await r.info()).match(/^(redis_mode|role|loading):\w+/gm));
  await step('configGet', () => r.configGet('appendonly'));
  await step('configGet of nothing', () => r.configGet('no-such-name'));
  await step('commandCount', async () => typeof (await r.commandCount()));
  await step('commandGetKeys', () => r.commandGetKeys(['MSET', 'a', '1', 'b', '2']));
  await step('commandInfo', () => r.commandInfo(['GET']));
  await step('aclWhoAmI', () => r.aclWhoAmI());
  await step('wait', () => r.wait(0, 0));
}

async function strings(r) {
  await step('set', () => r.set('s', 'value'));
  await step('get', () => r.get('s'));
  await step('get of nothing', () => r.get('none'));
  await step('set of a number', () => r.set('int', 12));
  await step('set NX', () => r.set('s', 'x', { condition: 'NX' }));
  await step('set XX GET', () => r.set('s', 'second', { condition: 'XX', GET: true }));
  await step('set EX', () => r.set('ex', 'v', { expiration: { type: 'EX', value: 1000 } }));
  await step('set KEEPTTL', () => r.set('ex', 'w', { expiration: 'KEEPTTL' }));
  await step('setNX', () => r.setNX('fresh', '1'));
  await step('setEx', () => r.setEx('ex', 1000, 'v'));
  await step('pSetEx', () => r.pSetEx('px', 1000000, 'v'));
  await step('getSet', () => r.getSet('s', 'third'));
  await step('getDel', () => r.getDel('fresh'));
  await step('getEx', () => r.getEx('ex', { type: 'PERSIST' }));
  await step('append', () => r.append('s', '!'));
  await step('strLen', () => r.strLen('s'));
  await step('getRange', () => r.getRange('s', 1, 3));
  await step('setRange', () => r.setRange('s', 2, 'XY'));
  await step('incr', () => r.incr('int'));
  await step('incrBy', () => r.incrBy('int', 30));
  await step('decr', () => r.decr('int'));
  await step('incrByFloat', () => r.incrByFloat('int', 0.25));
  await step('mSet', () => r.mSet(Object.fromEntries(numbers.map((i) => [`m${i}`, `${i}`]))));
  await step('mGet', () => r.mGet([...numbers.map((i) => `m${i}`), 'none']));
  await step('mSetNX', () => r.mSetNX({ '{nx}a': '1', '{nx}b': '2' }));
  await step('lcs', () => r.lcs('{nx}a', '{nx}b'));
  await step('lcsIdx', () => r.lcsIdx('{nx}a', '{nx}a'));
  await step('setBit', () => r.setBit('bits', 7, 1));
  await step('getBit', () => r.getBit('bits', 7));
  await step('bitCount', () => r.bitCount('bits'));
  await step('bitOp', () => r.bitOp('OR', '{nx}or', ['{nx}a', '{nx}b']));
  await step('bitField', () =>
    r.bitField('bits', [{ operation: 'GET', encoding: 'u8', offset: 0 }]));
}

async function keys(r) {
  await step('exists', () => r.exists(['m1', 'm2', 'none']));
  await step('touch', () => r.touch(['m1', 'none']));
  await step('type', () => r.type('s'));
  await step('expire', () => r.expire('m1', 1000));
  await step('pExpire', () => r.pExpire('m2', 1000000));
  await step('expireAt', () => r.expireAt('m3', FAR));
  await step('expireTime', () => r.expireTime('m3'));
  await step('ttl is near', async () => (await r.ttl('m1')) > 900);
  await step('ttl of nothing', () => r.ttl('none'));
  await step('persist', () => r.persist('m1'));
  await step('rename', () => r.rename('{nx}a', '{nx}c'));
  await step('renameNX', () => r.renameNX('{nx}b', '{nx}c'));
  await step('copy', () => r.copy('{nx}c', '{nx}d'));
  await step('objectEncoding', () => r.objectEncoding('m5'));
  await step('memoryUsage', async () => typeof (await r.memoryUsage('s')));
  await step('unlink', () => r.unlink(['m1', 'm2', 'none']));
  await step('del', () => r.del(numbers.map((i) => `m${i}`)));
}

async function hashes(r) {
  await step('hSet', () => r.hSet('h', { a: '1', b: 'two', c: '3.5' }));
  await step('hGet', () => r.hGet('h', 'b'));
  await step('hGet of nothing', () => r.hGet('h', 'none'));
  await step('hGetAll', () => r.hGetAll('h'));
  await step('hGetAll of nothing', () => r.hGetAll('none'));
  await step('hGetAll as a Map', () => r.withTypeMapping({ [RESP_TYPES.MAP]: Map }).hGetAll('h'));
  await step('hmGet', () => r.hmGet('h', ['a', 'none']));
  await step('hSetNX', () => r.hSetNX('h', 'a', '9'));
  await step('hIncrBy', () => r.hIncrBy('h', 'a', 5));
  await step('hIncrByFloat', () => r.hIncrByFloat('h', 'c', 0.5));
  await step('hExists', () => r.hExists('h', 'b'));
  await step('hKeys', () => r.hKeys('h'));
  await step('hVals', () => r.hVals('h'));
  await step('hLen', () => r.hLen('h'));
  await step('hStrLen', () => r.hStrLen('h', 'b'));
  await step('hRandFieldCountWithValues', () => r.hRandFieldCountWithValues('h', 9));
  await step('hScan', () => r.hScan('h', '0'));
  await step('hScanIterator', async () => {
    const found = [];
    for await (const some of r.hScanIterator('h')) found.push(some);
    return found;
  });
  await step('hDel', () => r.hDel('h', ['a', 'none']));
}

async function lists(r) {
  await step('rPush', () => r.rPush('l', ['a', 'b', 'c', 'd']));
  await step('lPush', () => r.lPush('l', 'z'));
  await step('lRange', () => r.lRange('l', 0, -1));
  await step('lLen', () => r.lLen('l'));
  await step('lIndex', () => r.lIndex('l', 2));
  await step('lSet', () => r.lSet('l', 2, 'B'));
  await step('lInsert', () => r.lInsert('l', 'BEFORE', 'B', 'new'));
  await step('lPos', () => r.lPos('l', 'B'));
  await step('lRem', () => r.lRem('l', 1, 'new'));
  await step('lTrim', () => r.lTrim('l', 0, 3));
  await step('lPop', () => r.lPop('l'));
  await step('rPopCount', () => r.rPopCount('l', 2));
  await step('lPop of nothing', () => r.lPop('none'));
  await step('rPopLPush', async () => [await r.rPush('{l}a', ['1', '2']),
    await r.rPopLPush('{l}a', '{l}b')]);
  await step('lMove', () => r.lMove('{l}a', '{l}b', 'LEFT', 'RIGHT'));
  await step('lmPop', () => r.lmPop(['{l}a', '{l}b'], 'LEFT'));
}

async function sets(r) {
  await step('sAdd', () => r.sAdd('{t}1', ['a', 'b', 'c']));
  await step('sAdd more', () => r.sAdd('{t}2', ['b', 'c', 'd']));
  await step('sMembers', async () => (await r.sMembers('{t}1')).sort());
  await step('sMembers as a Set', async () =>
    (await r.withTypeMapping({ [RESP_TYPES.SET]: Set }).sMembers('{t}1')).constructor.name);
  await step('sIsMember', () => r.sIsMember('{t}1', 'a'));
  await step('smIsMember', () => r.smIsMember('{t}1', ['a', 'x']));
  await step('sCard', () => r.sCard('{t}1'));
  await step('sInter', async () => (await r.sInter(['{t}1', '{t}2'])).sort());
  await step('sInterCard', () => r.sInterCard(['{t}1', '{t}2']));
  await step('sUnion', async () => (await r.sUnion(['{t}1', '{t}2'])).sort());
  await step('sDiff', async () => (await r.sDiff(['{t}1', '{t}2'])).sort());
  await step('sUnionStore', () => r.sUnionStore('{t}3', ['{t}1', '{t}2']));
  await step('sMove', () => r.sMove('{t}1', '{t}2', 'a'));
  await step('sRem', () => r.sRem('{t}1', ['b', 'x']));
  await step('sPop', () => r.sPop('{t}1'));
  await step('sRandMember of nothing', () => r.sRandMember('{t}1'));
}

async function sortedSets(r) {
  await step('zAdd', () => r.zAdd('{z}1', [{ score: 1, value: 'a' }, { score: 2.5, value: 'b' },
    { score: Infinity, value: 'c' }]));
  await step('zAddIncr', () => r.zAddIncr('{z}1', { score: 0.25, value: 'a' }));
  await step('zScore', () => r.zScore('{z}1', 'b'));
  await step('zScore of infinity', () => r.zScore('{z}1', 'c'));
  await step('zScore of nothing', () => r.zScore('{z}1', 'none'));
  await step('zmScore', () => r.zmScore('{z}1', ['a', 'none']));
  await step('zIncrBy', () => r.zIncrBy('{z}1', 0.5, 'a'));
  await step('zCard', () => r.zCard('{z}1'));
  await step('zCount', () => r.zCount('{z}1', '-inf', 2));
  await step('zRank', () => r.zRank('{z}1', 'b'));
  await step('zRank of nothing', () => r.zRank('{z}1', 'none'));
  await step('zRange', () => r.zRange('{z}1', 0, -1));
  await step('zRangeWithScores', () => r.zRangeWithScores('{z}1', 0, -1));
  await step('zRangeByScore', () => r.zRangeByScore('{z}1', 1, 3));
  await step('zRangeByLex', () => r.zRangeByLex('{z}1', '-', '+'));
  await step('zScan', () => r.zScan('{z}1', '0'));
  await step('zUnionStore', () => r.zUnionStore('{z}2', ['{z}1']));
  await step('zUnionWithScores', () => r.zUnionWithScores(['{z}1', '{z}2']));
  await step('zInter', () => r.zInter(['{z}1', '{z}2']));
  await step('zDiff', () => r.zDiff(['{z}1', '{z}2']));
  await step('zRandMemberCountWithScores', () => r.zRandMemberCountWithScores('{z}1', 9));
  await step('zPopMin', () => r.zPopMin('{z}1'));
  await step('zPopMaxCount', () => r.zPopMaxCount('{z}2', 2));
  await step('zPopMin of nothing', () => r.zPopMin('none'));
  await step('zRem', () => r.zRem('{z}1', ['b', 'none']));
  await step('geoAdd', () => r.geoAdd('geo', [
    { longitude: 13.361389, latitude: 38.115556, member: 'Palermo' },
    { longitude: 15.087269, latitude: 37.502669, member: 'Catania' }]));
  await step('geoDist', () => r.geoDist('geo', 'Palermo', 'Catania', 'km'));
  await step('geoPos', () => r.geoPos('geo', ['Palermo', 'none']));
  await step('geoSearchWith', () => r.geoSearchWith('geo', { longitude: 15, latitude: 37 },
    { radius: 200, unit: 'km' }, ['WITHDIST'], { SORT: 'ASC' }));
}

async function streams(r) {
  await step('xAdd', () => r.xAdd('x', '1-1', { a: '1' }));
  await step('xAdd second', () => r.xAdd('x', '1-2', { b: '2' }));
  await step('xLen', () => r.xLen('x'));
  await step('xRange', () => r.xRange('x', '-', '+'));
  await step('xRead', () => r.xRead({ key: 'x', id: '0' }));
  await step('xRead of nothing', () => r.xRead({ key: 'x', id: '1-2' }));
  await step('xGroupCreate', () => r.xGroupCreate('x', 'g', '0'));
  await step('xGroupCreate twice', () => r.xGroupCreate('x', 'g', '0'));
  await step('xReadGroup', () => r.xReadGroup('g', 'me', { key: 'x', id: '>' }, { COUNT: 1 }));
  await step('xPending', () => r.xPending('x', 'g'));
  await step('xAck', () => r.xAck('x', 'g', '1-1'));
  await step('xInfoGroups', () => r.xInfoGroups('x'));
  await step('xInfoStream', () => r.xInfoStream('x'));
  await step('xAutoClaim', () => r.xAutoClaim('x', 'g', 'you', 0, '0'));
  await step('xDel', () => r.xDel('x', '1-2'));
}

async function others(r) {
  await step('pfAdd', () => r.pfAdd('{p}1', ['a', 'b']));
  await step('pfCount', () => r.pfCount('{p}1'));
  await step('eval', () => r.eval('return {KEYS[1], ARGV[1], 3.7, false}',
    { keys: ['k'], arguments: ['v'] }));
  await step('eval of RESP3 types', () => r.eval(
    'redis.setresp(3); return {map={a=1}}', { keys: ['k'] }));
  await step('eval of a double', () => r.eval('return {double=1.5}', { keys: ['k'] }));
  await step('eval of a boolean', () => r.eval('redis.setresp(3); return true', { keys: ['k'] }));
  await step('evalSha of nothing', () => r.evalSha('0'.repeat(40), { keys: ['k'] }));
}

async function pipelines(r) {
  await step('automatic pipeline', () => Promise.all(numbers.flatMap((i) => [
    r.set(`pipe${i}`, `${i}`), r.get(`pipe${i}`)])));
  await step('execAsPipeline', () => r.multi().set('s', '1').get('s').hGetAll('h')
    .execAsPipeline());
  await step('automatic pipeline with an error', async () => (await Promise.allSettled([
    r.set('s', '1'), r.lPush('s', '1'), r.get('s')])).map((one) => one.value ?? one.reason));
}

async function sizesAndBytes(r) {
  const buffers = r.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  await step('set of 1 MiB', () => r.set('big', BIG));
  await step('get of 1 MiB', () => r.get('big'));
  await step('mGet of 1 MiB', () => r.mGet(['big', 'none']));
  await step('set of an empty value', () => r.set('empty', ''));
  await step('get of an empty value', () => r.get('empty'));
  await step('set of a binary key', () => r.set(BINARY, BINARY));
  await step('get of a binary key', () => buffers.get(BINARY));
  await step('set of text', () => r.set('ключ', 'значение'));
  await step('get of text', () => r.get('ключ'));
}

async function errors(r) {
  await step('wrong type', async () => [await r.rPush('list', '1'), await r.get('list')]);
  await step('not an integer', async () => [await r.set('s', 'text'), await r.incr('s')]);
  await step('too few arguments', () => r.sendCommand(['GET']));
  await step('unknown command', () => r.sendCommand(['NOSUCH', 'a', 'b']));
  await step('get after errors', () => r.get('s'));
}

async function ends(r) {
  const again = new Promise((ready) => r.once('ready', ready));
  await step('client kill of itself', async () => {
    const id = String(await r.clientId());
    const killed = await r.sendCommand(['CLIENT', 'KILL', 'ID', id, 'SKIPME', 'no']);
    await again;
    return killed;
  });
  await step('get after the kill', () => r.get('s'));
  await step('close', () => r.close());
  await step('get after close', () => r.get('s'));
  await step('connect again', async () => (await r.connect()).isOpen);
  await step('get after that', () => r.get('s'));
  await step('destroy', () => r.destroy());
  const named = await createClient({ url, name: 'named', pingInterval: 100 }).connect();
  await step('its name', () => named.clientGetName());
  await step('quit', () => named.quit());
  const plain = await createClient({ url, RESP: 2 }).connect();
  await step('hGetAll by RESP2', () => plain.hGetAll('h'));
  await step('zScore by RESP2', () => plain.zScore('{z}1', 'c'));
  await plain.close();
  const pool = await createClientPool({ url }).connect();
  await step('get from a pool', () => Promise.all([pool.get('s'), pool.get('s')]));
  await pool.close();
  const lost = createClient({ url: `redis://${host}:1`, socket: { reconnectStrategy: false } });
  lost.on('error', () => {});
  await step('no server', () => lost.connect());
}

async function main() {
  begin(require('redis/package.json').version, 'RESP3');
  const r = createClient({ url });
  // By default it tries for ever: the first failure is the end.
  let connected = false;
  r.on('error', (error) => connected || fail(error));
  await r.connect();
  connected = true;
  for (const part of [connections, strings, keys, hashes, lists, sets, sortedSets, streams, others,
    pipelines, sizesAndBytes, errors, ends]) {
    await part(r);
  }
  end();
}

main();
