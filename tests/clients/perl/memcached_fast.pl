# SPDX-License-Identifier: Apache-2.0
# Cache::Memcached::Fast with its defaults.

use strict;
use warnings;
use Cache::Memcached::Fast;
use Steps;

my $FAR   = 2100000000;                      # in 2036
my $BIG   = '0123456789abcdef' x 65000;
my $BYTES = join '', map { chr } 0 .. 255;

# Longer than the quarter of a second and the second by default: a busy machine is no finding.
sub new_client {
    return Cache::Memcached::Fast->new(
        { servers => ["$HOST:$PORT"], connect_timeout => 20, io_timeout => 20, @_ } );
}

begin_transcript( Cache::Memcached::Fast->VERSION, 'text' );
my $c = new_client();

# ---- connections ----
step 'server_versions: three numbers',
  sub { map { scalar( () = /\d+/g ) } values %{ $c->server_versions } };
step 'set', sub { $c->set( 's', 'value' ) };
step 'nowait_push', sub { $c->nowait_push };

# ---- values ----
step 'get',                     sub { $c->get('s') };
step 'get of nothing',          sub { $c->get('none') };
step 'set of an int',           sub { $c->set( 'int', 12 ) };
step 'get of an int',           sub { $c->get('int') };
step 'set of a float',          sub { $c->set( 'float', 1.5 ) };
step 'get of a float',          sub { $c->get('float') };
step 'set of an object',        sub { $c->set( 'object', { a => [ 1, undef, 'x' ] } ) };
step 'get of an object',        sub { $c->get('object') };
step 'set of a list',           sub { $c->set( 'list', [ 1 .. 5 ] ) };
step 'get of a list',           sub { $c->get('list') };
step 'set with a time',         sub { $c->set( 'timed', 'v', 1000 ) };
step 'set in the past',         sub { $c->set( 'past', 'v', -1 ) };
step 'get of the past',         sub { $c->get('past') };
step 'set to the year 2036',    sub { $c->set( 'far', 'v', $FAR ) };
step 'get of the far',          sub { $c->get('far') };
step 'add',                     sub { $c->add( 'added', 1 ) };
step 'add again',               sub { $c->add( 'added', 2 ) };
step 'get of the added',        sub { $c->get('added') };
step 'replace',                 sub { $c->replace( 's', 'third' ) };
step 'replace of nothing',      sub { $c->replace( 'none', 'x' ) };
step 'append',                  sub { $c->append( 's', '!' ) };
step 'append to nothing',       sub { $c->append( 'none', 'x' ) };
step 'prepend',                 sub { $c->prepend( 's', '<' ) };
step 'prepend to nothing',      sub { $c->prepend( 'none', 'x' ) };
step 'get of the joined',       sub { $c->get('s') };
step 'touch',                   sub { $c->touch( 's', 1000 ) };
step 'touch of nothing',        sub { $c->touch( 'none', 1000 ) };
step 'gat',                     sub { $c->gat( 1000, 's' ) };
step 'gat of nothing',          sub { $c->gat( 1000, 'none' ) };
step 'gats: value',             sub { $c->gats( 1000, 's' )->[1] };

# ---- swaps ----
step 'gets: value',             sub { $c->gets('s')->[1] };
step 'gets of nothing',         sub { $c->gets('none') };
step 'cas',                     sub { $c->cas( 's', $c->gets('s')->[0], 'swapped' ) };
step 'cas that comes too late', sub { $c->cas( 's', 1, 'late' ) };
step 'cas of nothing',          sub { $c->cas( 'none', 1, 'x' ) };
step 'get of the swapped',      sub { $c->get('s') };

# ---- numbers ----
step 'incr',                    sub { $c->incr( 'int', 5 ) };
step 'incr by one',             sub { $c->incr('int') };
step 'decr',                    sub { $c->decr( 'int', 7 ) };
step 'decr below zero',         sub { $c->decr( 'int', 100 ) };
step 'incr of nothing',         sub { $c->incr('none') };
step 'incr of text',            sub { $c->incr('s') };
step 'get of the number',       sub { $c->get('int') };

# ---- many ----
my @keys = map { "m$_" } 0 .. 40;
step 'set_multi',               sub { $c->set_multi( map { [ $_, "value of $_" ] } @keys[ 0 .. 39 ] ) };
step 'set_multi as a map',      sub { scalar $c->set_multi( [ 'm1', 1 ], [ 'm2', 2 ] ) };
step 'get_multi',               sub { $c->get_multi(@keys) };
step 'get_multi of nothing',    sub { $c->get_multi( 'none', 'nothing' ) };
step 'gets_multi: values',      sub { map { $_->[1] } @{ $c->gets_multi( 'm1', 'm2' ) }{ 'm1', 'm2' } };
step 'gat_multi',               sub { $c->gat_multi( 1000, 'm1', 'm2', 'none' ) };
step 'add_multi',               sub { $c->add_multi( [ 'm1', 'x' ], [ 'new', 'y' ] ) };
step 'replace_multi',           sub { $c->replace_multi( [ 'm1', 'x' ], [ 'none', 'y' ] ) };
step 'append_multi',            sub { $c->append_multi( [ 'm1', '!' ], [ 'none', '!' ] ) };
step 'incr_multi',              sub { $c->set( 'n1', 1 ); $c->incr_multi( [ 'n1', 2 ], 'none' ) };
step 'touch_multi',             sub { $c->touch_multi( [ 'm1', 1000 ], [ 'none', 1000 ] ) };
step 'cas_multi',               sub { $c->cas_multi( [ 'm1', 1, 'x' ], [ 'none', 1, 'y' ] ) };
step 'delete',                  sub { $c->delete('m0') };
step 'delete of nothing',       sub { $c->delete('m0') };
step 'delete_multi',            sub { $c->delete_multi( 'm1', 'm2', 'none' ) };
step 'get_multi after deletes', sub { $c->get_multi( 'm0', 'm1', 'm2', 'm3' ) };

# ---- sizes and bytes ----
step 'set of 1 MB',             sub { $c->set( 'big', $BIG ) };
step 'get of 1 MB',             sub { $c->get('big') };
step 'get_multi of 1 MB',       sub { $c->get_multi( 'big', 'm3' ) };
step 'set of an empty value',   sub { $c->set( 'empty', '' ) };
step 'get of an empty value',   sub { $c->get('empty') };
step 'set of bytes',            sub { $c->set( 'bytes', $BYTES ) };
step 'get of bytes',            sub { $c->get('bytes') };
step 'set of the longest key',  sub { $c->set( 'k' x 250, 'long' ) };
step 'get of the longest key',  sub { $c->get( 'k' x 250 ) };
step 'set of a longer key',     sub { $c->set( 'k' x 251, 'long' ) };
step 'get after a longer key',  sub { $c->get('m3') };
my $packed = new_client( compress_threshold => 1000, namespace => 'packed:' );
step 'set of 1 MB, packed',     sub { $packed->set( 'big', $BIG ) };
step 'get of 1 MB, packed',     sub { $packed->get('big') };
step 'namespace',               sub { $packed->namespace };

# ---- ends ----
my $hasty = new_client( nowait => 1, noreply => 1 );
step 'set without waiting',     sub { $hasty->set( 'hasty', 1 ); $hasty->nowait_push; $hasty->get('hasty') };
step 'delete without waiting',  sub { $hasty->delete('hasty'); $hasty->nowait_push; $hasty->get('hasty') };
step 'disconnect_all',          sub { $c->disconnect_all };
step 'get after that',          sub { $c->get('m3') };
step 'flush_all',               sub { values %{ $c->flush_all } };
step 'get_multi of the flushed', sub { $c->get_multi(@keys) };
step 'set after the flush',     sub { $c->set( 's', 'new' ) };
step 'get after the flush',     sub { $c->get('s') };
step 'no server',               sub { Cache::Memcached::Fast->new( { servers => ["$HOST:1"] } )->get('s') };
end_transcript();
