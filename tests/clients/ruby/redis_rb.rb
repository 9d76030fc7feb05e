# frozen_string_literal: true
# SPDX-License-Identifier: Apache-2.0
# redis-rb with its defaults.

require 'redis'
require_relative 'steps'

FAR = 4_102_444_800 # the year 2100
BIG = '0123456789abcdef' * 65_536
BINARY = (0..255).to_a.pack('C*').freeze

begin_transcript(Redis::VERSION, 'RESP2')
r = Redis.new(host: HOST, port: PORT)

# ---- connections ----
step('ping') { r.ping }
step('ping with words') { r.ping('hello') }
step('echo') { r.echo('hello') }
step('connected?') { r.connected? }
step('hello: proto') { r.call('HELLO')[5] }
step('client setname') { r.client(:setname, 'tester') }
step('client getname') { r.client(:getname) }
step('client id') { r.client(:id).positive? }
step('client list: our names') { r.client(:list).map { |one| one['name'] }.include?('tester') }
step('select') { r.select(0) }
step('time is two ints') { r.time.map(&:class) }
step('role') { r.call('ROLE') }
step('info: what clients read') { r.info.values_at('redis_mode', 'role', 'loading') }
step('info of one section') { r.info('replication')['role'] }
step('config get') { r.config(:get, 'appendonly') }
step('command count is an int') { r.call('COMMAND', 'COUNT').class }
step('wait') { r.call('WAIT', 0, 0) }

# ---- strings ----
step('set') { r.set('s', 'value') }
step('get') { r.get('s') }
step('get of nothing') { r.get('none') }
step('set of an int') { r.set('int', 12) }
step('set of a float') { r.set('float', 1.5) }
step('set nx') { r.set('s', 'x', nx: true) }
step('set xx get') { r.set('s', 'second', xx: true, get: true) }
step('set ex') { r.set('ex', 'v', ex: 1000) }
step('set keepttl') { r.set('ex', 'w', keepttl: true) }
step('setex') { r.setex('ex', 1000, 'v') }
step('psetex') { r.psetex('px', 1_000_000, 'v') }
step('setnx') { r.setnx('fresh', 1) }
step('getset') { r.getset('s', 'third') }
step('getdel') { r.getdel('fresh') }
step('getex') { r.getex('ex', persist: true) }
step('append') { r.append('s', '!') }
step('strlen') { r.strlen('s') }
step('getrange') { r.getrange('s', 1, 3) }
step('setrange') { r.setrange('s', 2, 'XY') }
step('incr') { r.incr('int') }
step('incrby') { r.incrby('int', 30) }
step('decrby') { r.decrby('int', 3) }
step('incrbyfloat') { r.incrbyfloat('float', 0.25) }
step('mset') { r.mset(*(0...20).flat_map { |i| ["m#{i}", i] }) }
step('mget') { r.mget(*(0..20).map { |i| "m#{i}" }) }
step('mapped_mset') { r.mapped_mset('m1' => 'one', 'm2' => 'two') }
step('mapped_mget') { r.mapped_mget('m1', 'm2', 'none') }
step('msetnx') { r.msetnx('{nx}a', 1, '{nx}b', 2) }
step('setbit') { r.setbit('bits', 7, 1) }
step('getbit') { r.getbit('bits', 7) }
step('bitcount') { r.bitcount('bits') }
step('bitpos') { r.bitpos('bits', 1) }
step('bitop') { r.bitop('OR', '{nx}or', '{nx}a', '{nx}b') }

# ---- keys ----
step('exists') { r.exists('m1', 'm2', 'none') }
step('exists?') { r.exists?('none') }
step('type') { r.type('s') }
step('type of nothing') { r.type('none') }
step('expire') { r.expire('m1', 1000) }
step('pexpire') { r.pexpire('m2', 1_000_000) }
step('expireat') { r.expireat('m3', FAR) }
step('expiretime') { r.call('EXPIRETIME', 'm3') }
step('ttl is near') { (900..1000).cover?(r.ttl('m1')) }
step('pttl is near') { (900_000..1_000_000).cover?(r.pttl('m2')) }
step('ttl of nothing') { r.ttl('none') }
step('persist') { r.persist('m1') }
step('rename') { r.rename('{nx}a', '{nx}c') }
step('renamenx') { r.renamenx('{nx}b', '{nx}c') }
step('copy') { r.copy('{nx}c', '{nx}d') }
step('object') { r.object('encoding', 'int') }
step('dump') { r.dump('m5') }
step('restore') { r.restore('restored', 0, r.dump('m5')) }
step('unlink') { r.unlink('m1', 'm2', 'none') }
step('del') { r.del(*(0...20).map { |i| "m#{i}" }) }

# ---- hashes ----
step('hset') { r.hset('h', 'a' => 1, 'b' => 'two', 'c' => 3.5) }
step('hmset') { r.hmset('h', 'd', 4) }
step('hget') { r.hget('h', 'b') }
step('hgetall') { r.hgetall('h') }
step('hgetall of nothing') { r.hgetall('none') }
step('hmget') { r.hmget('h', 'a', 'none') }
step('mapped_hmget') { r.mapped_hmget('h', 'a', 'none') }
step('hsetnx') { r.hsetnx('h', 'a', 9) }
step('hincrby') { r.hincrby('h', 'a', 5) }
step('hincrbyfloat') { r.hincrbyfloat('h', 'c', 0.5) }
step('hexists') { r.hexists('h', 'b') }
step('hkeys') { r.hkeys('h') }
step('hvals') { r.hvals('h') }
step('hlen') { r.hlen('h') }
step('hscan') { r.hscan('h', 0) }
step('hscan_each') { r.hscan_each('h').to_a }
step('hdel') { r.hdel('h', 'a', 'none') }

# ---- lists ----
step('rpush') { r.rpush('l', %w[a b c d]) }
step('lpush') { r.lpush('l', 'z') }
step('lrange') { r.lrange('l', 0, -1) }
step('llen') { r.llen('l') }
step('lindex') { r.lindex('l', 2) }
step('lset') { r.lset('l', 2, 'B') }
step('linsert') { r.linsert('l', :before, 'B', 'new') }
step('lrem') { r.lrem('l', 1, 'new') }
step('ltrim') { r.ltrim('l', 0, 3) }
step('lpop') { r.lpop('l') }
step('rpop of two') { r.rpop('l', 2) }
step('rpoplpush') { r.rpush('{l}a', [1, 2]) && r.rpoplpush('{l}a', '{l}b') }
step('lmove') { r.lmove('{l}a', '{l}b', 'LEFT', 'RIGHT') }
step('sort') { r.sort('{l}b', order: 'desc') }

# ---- sets ----
step('sadd') { r.sadd('{t}1', %w[a b c]) }
step('sadd of one') { r.sadd?('{t}2', 'b') }
step('smembers') { r.smembers('{t}1').sort }
step('sismember') { r.sismember('{t}1', 'a') }
step('smismember') { r.smismember('{t}1', 'a', 'x') }
step('scard') { r.scard('{t}1') }
step('sinter') { r.sinter('{t}1', '{t}2') }
step('sunion') { r.sunion('{t}1', '{t}2').sort }
step('sdiff') { r.sdiff('{t}1', '{t}2').sort }
step('sunionstore') { r.sunionstore('{t}3', '{t}1', '{t}2') }
step('smove') { r.smove('{t}1', '{t}2', 'a') }
step('srem') { r.srem('{t}1', %w[b x]) }
step('spop') { r.spop('{t}1') }
step('sscan_each') { r.sscan_each('{t}3').to_a.sort }

# ---- sorted sets ----
step('zadd') { r.zadd('{z}1', [[1, 'a'], [2.5, 'b'], [Float::INFINITY, 'c']]) }
step('zadd of one') { r.zadd('{z}1', 4, 'd') }
step('zscore') { r.zscore('{z}1', 'b') }
step('zscore of infinity') { r.zscore('{z}1', 'c') }
step('zscore of nothing') { r.zscore('{z}1', 'none') }
step('zmscore') { r.zmscore('{z}1', 'a', 'none') }
step('zincrby') { r.zincrby('{z}1', 0.5, 'a') }
step('zcard') { r.zcard('{z}1') }
step('zcount') { r.zcount('{z}1', '-inf', 2) }
step('zrank') { r.zrank('{z}1', 'b') }
step('zrange with_scores') { r.zrange('{z}1', 0, -1, with_scores: true) }
step('zrevrange') { r.zrevrange('{z}1', 0, -1) }
step('zrangebyscore') { r.zrangebyscore('{z}1', 1, 3, with_scores: true) }
step('zrangebylex') { r.zrangebylex('{z}1', '-', '+') }
step('zunionstore') { r.zunionstore('{z}2', ['{z}1']) }
step('zinter') { r.zinter('{z}1', '{z}2', with_scores: true) }
step('zscan_each') { r.zscan_each('{z}1').to_a }
step('zpopmin') { r.zpopmin('{z}1') }
step('zpopmax') { r.zpopmax('{z}2') }
step('zrem') { r.zrem('{z}1', %w[b none]) }
step('geoadd') { r.geoadd('geo', 13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'Catania') }
step('geodist') { r.geodist('geo', 'Palermo', 'Catania', 'km') }
step('geopos') { r.geopos('geo', %w[Palermo none]) }

# ---- streams, scripts, counting ----
step('xadd') { r.xadd('x', { 'a' => 1 }, id: '1-1') }
step('xadd second') { r.xadd('x', { 'b' => 2 }, id: '1-2') }
step('xlen') { r.xlen('x') }
step('xrange') { r.xrange('x') }
step('xread') { r.xread('x', '1-1') }
step('xgroup create') { r.xgroup(:create, 'x', 'g', '0') }
step('xreadgroup') { r.xreadgroup('g', 'me', 'x', '>', count: 1) }
step('xpending') { r.xpending('x', 'g') }
step('xack') { r.xack('x', 'g', '1-1') }
step('xinfo groups') { r.xinfo(:groups, 'x') }
step('xdel') { r.xdel('x', '1-2') }
step('pfadd') { r.pfadd('p', %w[a b]) }
step('pfcount') { r.pfcount('p') }
step('eval') { r.eval('return {KEYS[1], ARGV[1], 3.7, false}', keys: ['k'], argv: ['v']) }
step('evalsha of nothing') { r.evalsha('0' * 40, keys: ['k']) }

# ---- pipelines ----
step('pipelined') { r.pipelined { |p| 30.times { |i| p.set("p#{i}", i) && p.get("p#{i}") } } }
step('pipelined with an error') { r.pipelined { |p| p.set('s', 1) && p.lpush('s', 1) } }
step('pipelined with futures') do
  future = nil
  r.pipelined { |p| future = p.hgetall('h') }
  future.value
end

# ---- sizes and bytes ----
step('set of 1 MiB') { r.set('big', BIG) }
step('get of 1 MiB') { r.get('big') }
step('set of an empty value') { r.set('empty', '') }
step('get of an empty value') { r.get('empty') }
step('set of a binary key') { r.set(BINARY, BINARY) }
step('get of a binary key') { r.get(BINARY) }
step('set of text') { r.set('ключ', 'значение') }
step('get of text') { r.get('ключ') }

# ---- errors ----
step('wrong type') { r.rpush('list', 1) && r.get('list') }
step('not an integer') { r.set('s', 'text') && r.incr('s') }
step('too few arguments') { r.call('GET') }
step('unknown command') { r.call('NOSUCH', 'a', 'b') }
step('get after errors') { r.get('s') }

# ---- ends ----
step('quit') { r.quit }
step('connected? after quit') { r.connected? }
step('get after quit') { r.get('s') }
step('close') { r.close }
step('get after close') { r.get('s') }
step('client kill of itself') { r.call('CLIENT', 'KILL', 'ID', r.client(:id), 'SKIPME', 'no') }
step('get after the kill') { r.get('s') }
named = Redis.new(url: "redis://#{HOST}:#{PORT}/0", id: 'named')
step('get of another client') { named.get('s') }
step('without_reconnect') { named.without_reconnect { named.get('s') } }
step('no server') { Redis.new(host: HOST, port: 1, reconnect_attempts: 0).ping }
end_transcript
