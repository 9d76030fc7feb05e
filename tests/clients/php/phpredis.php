<?php
// SPDX-License-Identifier: Apache-2.0
// phpredis with its defaults.

require __DIR__ . '/steps.php';

const FAR = 4102444800; // the year 2100
$big = str_repeat('0123456789abcdef', 65536);
$binary = implode('', array_map('chr', range(0, 255)));

begin(phpversion('redis'), 'RESP2');
$r = new Redis();

// ---- connections ----
step('connect', fn () => $r->connect($host, $port));
step('isConnected', fn () => $r->isConnected());
step('ping', fn () => $r->ping());
step('ping with words', fn () => $r->ping('hello'));
step('echo', fn () => $r->echo('hello'));
step('hello: proto', fn () => $r->rawCommand('HELLO')[5]);
step('client setname', fn () => $r->client('setname', 'tester'));
step('client getname', fn () => $r->client('getname'));
step('client id', fn () => $r->client('id') > 0);
step('client list: our names', fn () => in_array('tester', array_column($r->client('list'), 'name')));
step('select', fn () => $r->select(0));
step('time is two numbers', fn () => array_map('is_numeric', $r->time()));
step('role', fn () => $r->role());
step('info: what clients read', fn () => array_map(
    fn ($name) => $r->info()[$name],
    ['redis_mode', 'role', 'loading', 'connected_slaves']
));
step('info of one section', fn () => $r->info('replication')['role']);
step('config get', fn () => $r->config('GET', 'appendonly'));
step('wait', fn () => $r->wait(0, 0));
step('command count is an int', fn () => gettype($r->rawCommand('COMMAND', 'COUNT')));
step('acl whoami', fn () => $r->acl('whoami'));

// ---- strings ----
step('set', fn () => $r->set('s', 'value'));
step('get', fn () => $r->get('s'));
step('get of nothing', fn () => $r->get('none'));
step('set of an int', fn () => $r->set('int', 12));
step('set of a float', fn () => $r->set('float', 1.5));
step('set nx', fn () => $r->set('s', 'x', ['nx']));
step('set xx ex', fn () => $r->set('s', 'second', ['xx', 'ex' => 1000]));
step('setEx', fn () => $r->setEx('ex', 1000, 'v'));
step('pSetEx', fn () => $r->pSetEx('px', 1000000, 'v'));
step('setNx', fn () => $r->setNx('fresh', 1));
step('getSet', fn () => $r->getSet('s', 'third'));
step('append', fn () => $r->append('s', '!'));
step('strLen', fn () => $r->strLen('s'));
step('getRange', fn () => $r->getRange('s', 1, 3));
step('setRange', fn () => $r->setRange('s', 2, 'XY'));
step('incr', fn () => $r->incr('int'));
step('incrBy', fn () => $r->incrBy('int', 30));
step('decr', fn () => $r->decr('int', 3));
step('incrByFloat', fn () => $r->incrByFloat('float', 0.25));
step('mSet', fn () => $r->mSet(['m1' => 1, 'm2' => 2, 'm3' => 3, 'm4' => 4, 'm5' => 5]));
step('mGet', fn () => $r->mGet(['m1', 'none', 'm2', 'm3', 'm4', 'm5']));
step('mSetNx', fn () => $r->mSetNx(['{nx}a' => 1, '{nx}b' => 2]));
step('setBit', fn () => $r->setBit('bits', 7, true));
step('getBit', fn () => $r->getBit('bits', 7));
step('bitCount', fn () => $r->bitCount('bits'));
step('bitPos', fn () => $r->bitPos('bits', 1));
step('bitOp', fn () => $r->bitOp('OR', '{nx}or', '{nx}a', '{nx}b'));

// ---- keys ----
step('exists', fn () => $r->exists('m1', 'm2', 'none'));
step('type of a string', fn () => $r->type('s'));
step('type of nothing', fn () => $r->type('none'));
step('expire', fn () => $r->expire('m1', 1000));
step('pExpire', fn () => $r->pExpire('m2', 1000000));
step('expireAt', fn () => $r->expireAt('m3', FAR));
step('ttl is near', fn () => $r->ttl('m1') > 900);
step('pttl is near', fn () => $r->pttl('m2') > 900000);
step('ttl of nothing', fn () => $r->ttl('none'));
step('persist', fn () => $r->persist('m1'));
step('rename', fn () => $r->rename('{nx}a', '{nx}c'));
step('renameNx', fn () => $r->renameNx('{nx}b', '{nx}c'));
step('object encoding', fn () => $r->object('encoding', 'int'));
step('dump', fn () => $r->dump('m4'));
step('restore', fn () => $r->restore('restored', 0, $r->dump('m4')));
step('unlink', fn () => $r->unlink('m1', 'm2', 'none'));
step('del', fn () => $r->del('m3', 'm4', 'm5'));

// ---- hashes ----
step('hMSet', fn () => $r->hMSet('h', ['a' => 1, 'b' => 'two', 'c' => 3.5]));
step('hSet', fn () => $r->hSet('h', 'd', 4));
step('hGet', fn () => $r->hGet('h', 'b'));
step('hGet of nothing', fn () => $r->hGet('h', 'none'));
step('hGetAll', fn () => $r->hGetAll('h'));
step('hGetAll of nothing', fn () => $r->hGetAll('none'));
step('hMGet', fn () => $r->hMGet('h', ['a', 'none']));
step('hSetNx', fn () => $r->hSetNx('h', 'a', 9));
step('hIncrBy', fn () => $r->hIncrBy('h', 'a', 5));
step('hIncrByFloat', fn () => $r->hIncrByFloat('h', 'c', 0.5));
step('hExists', fn () => $r->hExists('h', 'b'));
step('hKeys', fn () => $r->hKeys('h'));
step('hVals', fn () => $r->hVals('h'));
step('hLen', fn () => $r->hLen('h'));
step('hStrLen', fn () => $r->hStrLen('h', 'b'));
step('hScan', function () use ($r) {
    $at = null;
    return $r->hScan('h', $at);
});
step('hDel', fn () => $r->hDel('h', 'a', 'none'));

// ---- lists ----
step('rPush', fn () => $r->rPush('l', 'a', 'b', 'c', 'd'));
step('lPush', fn () => $r->lPush('l', 'z'));
step('lRange', fn () => $r->lRange('l', 0, -1));
step('lLen', fn () => $r->lLen('l'));
step('lIndex', fn () => $r->lIndex('l', 2));
step('lSet', fn () => $r->lSet('l', 2, 'B'));
step('lInsert', fn () => $r->lInsert('l', Redis::BEFORE, 'B', 'new'));
step('lRem', fn () => $r->lRem('l', 'new', 1));
step('lTrim', fn () => $r->lTrim('l', 0, 3));
step('lPop', fn () => $r->lPop('l'));
step('rPop', fn () => $r->rPop('l'));
step('lPop of nothing', fn () => $r->lPop('none'));
step('rPopLPush', fn () => $r->rPush('{l}a', 1, 2) . $r->rPopLPush('{l}a', '{l}b'));
step('sort', fn () => $r->sort('{l}a', ['sort' => 'desc']));

// ---- sets ----
step('sAdd', fn () => $r->sAdd('{t}1', 'a', 'b', 'c'));
step('sAddArray', fn () => $r->sAddArray('{t}2', ['b', 'c', 'd']));
step('sMembers', fn () => sorted($r->sMembers('{t}1')));
step('sIsMember', fn () => $r->sIsMember('{t}1', 'a'));
step('sMisMember', fn () => $r->sMisMember('{t}1', 'a', 'x'));
step('sCard', fn () => $r->sCard('{t}1'));
step('sInter', fn () => sorted($r->sInter('{t}1', '{t}2')));
step('sUnion', fn () => sorted($r->sUnion('{t}1', '{t}2')));
step('sDiff', fn () => sorted($r->sDiff('{t}1', '{t}2')));
step('sUnionStore', fn () => $r->sUnionStore('{t}3', '{t}1', '{t}2'));
step('sMove', fn () => $r->sMove('{t}1', '{t}2', 'a'));
step('sRem', fn () => $r->sRem('{t}1', 'b', 'x'));
step('sPop', fn () => $r->sPop('{t}1'));
step('sRandMember of nothing', fn () => $r->sRandMember('{t}1'));

// ---- sorted sets ----
step('zAdd', fn () => $r->zAdd('{z}1', 1, 'a', 2.5, 'b', INF, 'c'));
step('zScore', fn () => $r->zScore('{z}1', 'b'));
step('zScore of nothing', fn () => $r->zScore('{z}1', 'none'));
step('zIncrBy', fn () => $r->zIncrBy('{z}1', 0.5, 'a'));
step('zCard', fn () => $r->zCard('{z}1'));
step('zCount', fn () => $r->zCount('{z}1', '-inf', 2));
step('zRank', fn () => $r->zRank('{z}1', 'b'));
step('zRevRank of nothing', fn () => $r->zRevRank('{z}1', 'none'));
step('zRange with scores', fn () => $r->zRange('{z}1', 0, -1, true));
step('zRangeByScore', fn () => $r->zRangeByScore('{z}1', 1, 3, ['limit' => [0, 1]]));
step('zRangeByLex', fn () => $r->zRangeByLex('{z}1', '-', '+'));
step('zUnionStore', fn () => $r->zUnionStore('{z}2', ['{z}1']));
step('zPopMin', fn () => $r->zPopMin('{z}1'));
step('zPopMax', fn () => $r->zPopMax('{z}2'));
step('zRem', fn () => $r->zRem('{z}1', 'b', 'none'));
step('geoAdd', fn () => $r->geoAdd('geo', 13.361389, 38.115556, 'Palermo', 15.087269, 37.502669,
    'Catania'));
step('geoDist', fn () => $r->geoDist('geo', 'Palermo', 'Catania', 'km'));
step('geoPos', fn () => $r->geoPos('geo', 'Palermo', 'none'));

// ---- streams, scripts, counting ----
step('xAdd', fn () => $r->xAdd('x', '1-1', ['a' => 1]));
step('xAdd second', fn () => $r->xAdd('x', '1-2', ['b' => 2]));
step('xLen', fn () => $r->xLen('x'));
step('xRange', fn () => $r->xRange('x', '-', '+'));
step('xRead', fn () => $r->xRead(['x' => '1-1']));
step('xGroup create', fn () => $r->xGroup('CREATE', 'x', 'g', '0'));
step('xReadGroup', fn () => $r->xReadGroup('g', 'me', ['x' => '>'], 1));
step('xPending', fn () => $r->xPending('x', 'g'));
step('xAck', fn () => $r->xAck('x', 'g', ['1-1']));
step('xInfo', fn () => $r->xInfo('GROUPS', 'x'));
step('xDel', fn () => $r->xDel('x', ['1-2']));
step('pfAdd', fn () => $r->pfAdd('p', ['a', 'b']));
step('pfCount', fn () => $r->pfCount('p'));
step('eval', fn () => $r->eval('return {KEYS[1], ARGV[1], 3.7, false}', ['k', 'v'], 1));
step('evalSha of nothing', fn () => $r->evalSha(str_repeat('0', 40), ['k'], 1));
step('getLastError', fn () => $r->getLastError());

// ---- pipelines ----
step('pipeline', function () use ($r) {
    $r->pipeline();
    for ($i = 0; $i < 30; $i++) {
        $r->set("pipe$i", $i)->get("pipe$i");
    }
    return $r->exec();
});
step('pipeline with an error', fn () => $r->pipeline()->set('s', 1)->lPush('s', 1)->get('s')->exec());

// ---- sizes and bytes ----
step('set of 1 MiB', fn () => $r->set('big', $big));
step('get of 1 MiB', fn () => $r->get('big'));
step('set of an empty value', fn () => $r->set('empty', ''));
step('get of an empty value', fn () => $r->get('empty'));
step('set of a binary key', fn () => $r->set($binary, $binary));
step('get of a binary key', fn () => $r->get($binary));
step('set of text', fn () => $r->set('ключ', 'значение'));
step('get of text', fn () => $r->get('ключ'));
step('serialized', function () use ($r) {
    $r->setOption(Redis::OPT_SERIALIZER, Redis::SERIALIZER_PHP);
    $r->set('object', ['a' => [1, null, 1.5]]);
    $value = $r->get('object');
    $r->setOption(Redis::OPT_SERIALIZER, Redis::SERIALIZER_NONE);
    return $value;
});
step('prefixed', function () use ($r) {
    $r->setOption(Redis::OPT_PREFIX, 'prefix:');
    $r->set('s', 'behind a prefix');
    $r->setOption(Redis::OPT_PREFIX, '');
    return $r->get('prefix:s');
});

// ---- errors ----
step('wrong type', fn () => $r->rPush('list', 1) . show($r->get('list')) . $r->getLastError());
step('not an integer', fn () => $r->set('s', 'text') . show($r->incr('s')) . $r->getLastError());
step('too few arguments', fn () => show($r->rawCommand('GET')) . $r->getLastError());
step('unknown command', fn () => show($r->rawCommand('NOSUCH', 'a')) . $r->getLastError());
step('get after errors', fn () => $r->get('s'));

// ---- ends ----
step('close', fn () => $r->close());
step('isConnected after close', fn () => $r->isConnected());
step('get after close', fn () => $r->get('s'));
step('connect again', fn () => $r->connect($host, $port, 2.0));
step('get after that', fn () => $r->get('s'));
step('client kill of itself', fn () => $r->rawCommand('CLIENT', 'KILL', 'ID',
    (string) $r->client('id'), 'SKIPME', 'no'));
// The server's close may come before the next command or after it.
try {
    $r->ping();
} catch (RedisException) {
}
step('get after the kill', fn () => $r->get('s'));
for ($i = 1; $i <= 3; $i++) {
    step("pconnect $i: the liveness check", function () use ($host, $port) {
        $kept = new Redis();
        return [$kept->pconnect($host, $port), $kept->get('s'), $kept->close()];
    });
}
step('no server', fn () => (new Redis())->connect($host, 1));
finish();
