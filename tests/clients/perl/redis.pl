# SPDX-License-Identifier: Apache-2.0
# Perl's Redis with its defaults.

use strict;
use warnings;
use Redis;
use Steps;

my $FAR    = 4102444800;                     # the year 2100
my $BIG    = '0123456789abcdef' x 65536;
my $BINARY = join '', map { chr } 0 .. 255;

begin_transcript( Redis->VERSION, 'RESP2' );
my $r = Redis->new( server => "$HOST:$PORT" );

# ---- connections ----
step 'ping',                   sub { $r->ping };
step 'echo',                   sub { $r->echo('hello') };
step 'hello: proto',           sub { ( $r->hello )[5] };
step 'client setname',         sub { $r->client_setname('tester') };
step 'client getname',         sub { $r->client_getname };
step 'client id',              sub { $r->client_id > 0 };
step 'client list',            sub { scalar( $r->client_list =~ /\bname=tester\b/ ) };
step 'select',                 sub { $r->select(0) };
step 'select of no number',    sub { $r->select('x') };
step 'time is two numbers',    sub { map { /^\d+$/ } $r->time };
step 'role',                   sub { $r->role };
step 'info: what clients read', sub { @{ $r->info }{qw(redis_mode role loading)} };
step 'info of one section',    sub { $r->info('replication')->{role} };
step 'config get',             sub { $r->config_get('appendonly') };
step 'command count',          sub { $r->command_count > 0 };
step 'wait',                   sub { $r->wait( 0, 0 ) };

# ---- strings ----
step 'set',                 sub { $r->set( 's', 'value' ) };
step 'get',                 sub { $r->get('s') };
step 'get of nothing',      sub { $r->get('none') };
step 'set of an int',       sub { $r->set( 'int',   12 ) };
step 'set of a float',      sub { $r->set( 'float', 1.5 ) };
step 'set nx',              sub { $r->set( 's', 'x', 'NX' ) };
step 'set xx get',          sub { $r->set( 's', 'second', 'XX', 'GET' ) };
step 'setex',               sub { $r->setex( 'ex', 1000, 'v' ) };
step 'psetex',              sub { $r->psetex( 'px', 1000000, 'v' ) };
step 'setnx',               sub { $r->setnx( 'fresh', 1 ) };
step 'getset',              sub { $r->getset( 's', 'third' ) };
step 'getdel',              sub { $r->getdel('fresh') };
step 'append',              sub { $r->append( 's', '!' ) };
step 'strlen',              sub { $r->strlen('s') };
step 'getrange',            sub { $r->getrange( 's', 1, 3 ) };
step 'setrange',            sub { $r->setrange( 's', 2, 'XY' ) };
step 'incr',                sub { $r->incr('int') };
step 'incrby',              sub { $r->incrby( 'int', 30 ) };
step 'decr',                sub { $r->decr('int') };
step 'incrbyfloat',         sub { $r->incrbyfloat( 'float', 0.25 ) };
step 'mset',                sub { $r->mset( map { ( "m$_", $_ ) } 0 .. 19 ) };
step 'mget',                sub { $r->mget( map { "m$_" } 0 .. 20 ) };
step 'msetnx',              sub { $r->msetnx( '{nx}a', 1, '{nx}b', 2 ) };
step 'setbit',              sub { $r->setbit( 'bits', 7, 1 ) };
step 'getbit',              sub { $r->getbit( 'bits', 7 ) };
step 'bitcount',            sub { $r->bitcount('bits') };

# ---- keys ----
step 'exists',              sub { $r->exists( 'm1', 'm2', 'none' ) };
step 'type',                sub { $r->type('s') };
step 'type of nothing',     sub { $r->type('none') };
step 'expire',              sub { $r->expire( 'm1', 1000 ) };
step 'pexpire',             sub { $r->pexpire( 'm2', 1000000 ) };
step 'expireat',            sub { $r->expireat( 'm3', $FAR ) };
step 'expiretime',          sub { $r->expiretime('m3') };
step 'ttl is near',         sub { $r->ttl('m1') > 900 };
step 'pttl is near',        sub { $r->pttl('m2') > 900000 };
step 'ttl of nothing',      sub { $r->ttl('none') };
step 'persist',             sub { $r->persist('m1') };
step 'rename',              sub { $r->rename( '{nx}a', '{nx}c' ) };
step 'renamenx',            sub { $r->renamenx( '{nx}b', '{nx}c' ) };
step 'object encoding',     sub { $r->object( 'encoding', 'int' ) };
step 'dump and restore',    sub { $r->restore( 'restored', 0, scalar $r->dump('m5') ) };
step 'unlink',              sub { $r->unlink( 'm1', 'm2', 'none' ) };
step 'del',                 sub { $r->del( map { "m$_" } 0 .. 19 ) };

# ---- hashes ----
step 'hset',                sub { $r->hset( 'h', 'a', 1, 'b', 'two' ) };
step 'hmset',               sub { $r->hmset( 'h', 'c', 3.5, 'd', 4 ) };
step 'hget',                sub { $r->hget( 'h', 'b' ) };
step 'hget of nothing',     sub { $r->hget( 'h', 'none' ) };
step 'hgetall',             sub { $r->hgetall('h') };
step 'hgetall of nothing',  sub { $r->hgetall('none') };
step 'hmget',               sub { $r->hmget( 'h', 'a', 'none' ) };
step 'hincrby',             sub { $r->hincrby( 'h', 'a', 5 ) };
step 'hexists',             sub { $r->hexists( 'h', 'b' ) };
step 'hkeys',               sub { $r->hkeys('h') };
step 'hvals',               sub { $r->hvals('h') };
step 'hlen',                sub { $r->hlen('h') };
step 'hscan',               sub { $r->hscan( 'h', 0 ) };
step 'hdel',                sub { $r->hdel( 'h', 'a', 'none' ) };

# ---- lists ----
step 'rpush',               sub { $r->rpush( 'l', qw(a b c d) ) };
step 'lpush',               sub { $r->lpush( 'l', 'z' ) };
step 'lrange',              sub { $r->lrange( 'l', 0, -1 ) };
step 'lrange as a scalar',  sub { scalar $r->lrange( 'l', 0, 1 ) };
step 'llen',                sub { $r->llen('l') };
step 'lindex',              sub { $r->lindex( 'l', 2 ) };
step 'lset',                sub { $r->lset( 'l', 2, 'B' ) };
step 'linsert',             sub { $r->linsert( 'l', 'BEFORE', 'B', 'new' ) };
step 'lrem',                sub { $r->lrem( 'l', 1, 'new' ) };
step 'ltrim',               sub { $r->ltrim( 'l', 0, 3 ) };
step 'lpop',                sub { $r->lpop('l') };
step 'rpop of nothing',     sub { $r->rpop('none') };
step 'rpoplpush',           sub { $r->rpush( '{l}a', 1, 2 ); $r->rpoplpush( '{l}a', '{l}b' ) };

# ---- sets ----
step 'sadd',                sub { $r->sadd( '{t}1', qw(a b c) ) };
step 'sadd more',           sub { $r->sadd( '{t}2', qw(b c d) ) };
step 'smembers',            sub { sort $r->smembers('{t}1') };
step 'sismember',           sub { $r->sismember( '{t}1', 'a' ) };
step 'scard',               sub { $r->scard('{t}1') };
step 'sinter',              sub { sort $r->sinter( '{t}1', '{t}2' ) };
step 'sunion',              sub { sort $r->sunion( '{t}1', '{t}2' ) };
step 'sdiffstore',          sub { $r->sdiffstore( '{t}3', '{t}1', '{t}2' ) };
step 'srem',                sub { $r->srem( '{t}1', 'b', 'x' ) };
step 'spop',                sub { $r->spop('{t}3') };

# ---- sorted sets ----
step 'zadd',                sub { $r->zadd( '{z}1', 1, 'a', 2.5, 'b', 'inf', 'c' ) };
step 'zscore',              sub { $r->zscore( '{z}1', 'b' ) };
step 'zscore of nothing',   sub { $r->zscore( '{z}1', 'none' ) };
step 'zincrby',             sub { $r->zincrby( '{z}1', 0.5, 'a' ) };
step 'zrank',               sub { $r->zrank( '{z}1', 'b' ) };
step 'zrange withscores',   sub { $r->zrange( '{z}1', 0, -1, 'WITHSCORES' ) };
step 'zrangebyscore',       sub { $r->zrangebyscore( '{z}1', 1, 3 ) };
step 'zunionstore',         sub { $r->zunionstore( '{z}2', 1, '{z}1' ) };
step 'zpopmin',             sub { $r->zpopmin('{z}1') };
step 'zrem',                sub { $r->zrem( '{z}1', 'b', 'none' ) };
step 'geoadd',              sub { $r->geoadd( 'geo', 13.361389, 38.115556, 'Palermo' ) };
step 'geopos',              sub { $r->geopos( 'geo', 'Palermo', 'none' ) };

# ---- streams, scripts, counting ----
step 'xadd',                sub { $r->xadd( 'x', '1-1', 'a', 1 ) };
step 'xrange',              sub { $r->xrange( 'x', '-', '+' ) };
step 'xread',               sub { $r->xread( 'STREAMS', 'x', '0' ) };
step 'xread of nothing',    sub { $r->xread( 'STREAMS', 'x', '1-1' ) };
step 'xgroup create',       sub { $r->xgroup_create( 'x', 'g', 0 ) };
step 'xreadgroup',          sub { $r->xreadgroup( 'GROUP', 'g', 'me', 'STREAMS', 'x', '>' ) };
step 'xack',                sub { $r->xack( 'x', 'g', '1-1' ) };
step 'pfadd',               sub { $r->pfadd( 'p', 'a', 'b' ) };
step 'pfcount',             sub { $r->pfcount('p') };
step 'eval',                sub { $r->eval( 'return {KEYS[1], ARGV[1], 3.7, false}', 1, 'k', 'v' ) };
step 'evalsha of nothing',  sub { $r->evalsha( '0' x 40, 1, 'k' ) };

# ---- pipelines ----
step 'pipeline', sub {
    my @replies;
    for my $i ( 0 .. 29 ) {
        $r->set( "pipe$i", $i, sub { push @replies, @_ } );
        $r->get( "pipe$i", sub { push @replies, @_ } );
    }
    $r->wait_all_responses;
    return @replies;
};
step 'pipeline with an error', sub {
    my @replies;
    $r->set( 's', 1, sub { push @replies, @_ } );
    $r->lpush( 's', 1, sub { push @replies, @_ } );
    $r->get( 's', sub { push @replies, @_ } );
    $r->wait_one_response;
    $r->wait_all_responses;
    return @replies;
};

# ---- sizes and bytes ----
step 'set of 1 MiB',          sub { $r->set( 'big', $BIG ) };
step 'get of 1 MiB',          sub { $r->get('big') };
step 'set of an empty value', sub { $r->set( 'empty', '' ) };
step 'get of an empty value', sub { $r->get('empty') };
step 'set of a binary key',   sub { $r->set( $BINARY, $BINARY ) };
step 'get of a binary key',   sub { $r->get($BINARY) };

# ---- errors ----
step 'wrong type',            sub { $r->rpush( 'list', 1 ); $r->get('list') };
step 'not an integer',        sub { $r->set( 's', 'text' ); $r->incr('s') };
step 'too few arguments',     sub { $r->get };
step 'unknown command',       sub { $r->nosuch( 'a', 'b' ) };
step 'get after errors',      sub { $r->get('s') };

# ---- ends ----
step 'quit',                  sub { $r->quit };
step 'get after quit',        sub { $r->get('s') };
$r = Redis->new( server => "$HOST:$PORT", reconnect => 2, every => 1000, name => 'named' );
step 'its name',              sub { $r->client_getname };
step 'client kill of itself', sub { $r->client_kill( 'ID', scalar $r->client_id, 'SKIPME', 'no' ) };
# The server's close may come before the next command or after it.
eval { $r->ping };
step 'get after the kill',    sub { $r->get('s') };
step 'its name after that',   sub { $r->client_getname };
step 'no server',             sub { Redis->new( server => "$HOST:1" ) };
end_transcript();
