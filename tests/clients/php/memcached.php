<?php
// SPDX-License-Identifier: Apache-2.0
// php-memcached with its defaults: the text protocol.

require __DIR__ . '/steps.php';

const FAR = 2100000000; // in 2036
$big = str_repeat('0123456789abcdef', 65000);
$bytes = implode('', array_map('chr', range(0, 255)));

begin(phpversion('memcached'), 'text');
$c = new Memcached();

/** The answer and what the client says of it. */
function told(Memcached $client, $answer): array
{
    return [$answer, $client->getResultCode(), $client->getResultMessage()];
}

// ---- connections ----
step('addServer', fn () => $c->addServer($host, $port));
step('getServerList', fn () => count($c->getServerList()));
step('getVersion: three numbers', fn () => count(explode('.', current($c->getVersion()))));
step('getStats: names', fn () => array_values(array_intersect(
    ['pid', 'uptime', 'curr_connections', 'version'],
    array_keys(current($c->getStats()))
)));
step('getServerByKey', fn () => $c->getServerByKey('k')['host']);

// ---- values ----
step('set', fn () => $c->set('s', 'value'));
step('get', fn () => $c->get('s'));
step('get of nothing', fn () => told($c, $c->get('none')));
step('get that fills itself', fn () => $c->get('filled', function ($client, $key, &$value) {
    $value = "made for $key";
    return true;
}));
step('get of the filled', fn () => $c->get('filled'));
step('set of an int', fn () => $c->set('int', 12));
step('get of an int', fn () => $c->get('int'));
step('set of a float', fn () => $c->set('float', 1.5));
step('get of a float', fn () => $c->get('float'));
step('set of a bool', fn () => $c->set('bool', true));
step('get of a bool', fn () => $c->get('bool'));
step('set of an array', fn () => $c->set('array', ['a' => [1, null, 'x']]));
step('get of an array', fn () => $c->get('array'));
step('set with a time', fn () => $c->set('timed', 'v', 1000));
step('set in the past', fn () => $c->set('past', 'v', -1));
step('get of the past', fn () => $c->get('past'));
step('set to the year 2036', fn () => $c->set('far', 'v', FAR));
step('get of the far', fn () => $c->get('far'));
step('add', fn () => told($c, $c->add('added', 1)));
step('add again', fn () => told($c, $c->add('added', 2)));
step('replace', fn () => told($c, $c->replace('s', 'third')));
step('replace of nothing', fn () => told($c, $c->replace('none', 'x')));
step('append to what may be packed', fn () => $c->append('s', '!'));
step('append', function () use ($c) {
    $c->setOption(Memcached::OPT_COMPRESSION, false);
    return told($c, $c->append('s', '!'));
});
step('append to nothing', fn () => told($c, $c->append('none', 'x')));
step('prepend', fn () => told($c, $c->prepend('s', '<')));
step('get of the joined', fn () => $c->get('s'));
step('touch', fn () => told($c, $c->touch('s', 1000)));
step('touch of nothing', fn () => told($c, $c->touch('none', 1000)));

// ---- swaps ----
step('get extended: names', fn () => array_keys($c->get('s', null, Memcached::GET_EXTENDED)));
step('cas', fn () => told($c, $c->cas($c->get('s', null, Memcached::GET_EXTENDED)['cas'], 's', 'new')));
step('cas that comes too late', fn () => told($c, $c->cas(1.0, 's', 'late')));
step('cas of nothing', fn () => told($c, $c->cas(1.0, 'none', 'x')));
step('get of the swapped', fn () => $c->get('s'));

// ---- numbers ----
step('increment', fn () => told($c, $c->increment('int', 5)));
step('increment by one', fn () => told($c, $c->increment('int')));
step('decrement', fn () => told($c, $c->decrement('int', 7)));
step('decrement below zero', fn () => told($c, $c->decrement('int', 100)));
step('increment of nothing', fn () => told($c, $c->increment('none')));
step('increment with a first value', fn () => @told($c, @$c->increment('none', 1, 5)));
step('increment of text', fn () => told($c, $c->increment('s')));
step('get of the number', fn () => $c->get('int'));

// ---- many ----
$many = [];
for ($i = 0; $i < 40; $i++) {
    $many["m$i"] = $i;
}
$keys = array_keys($many);
step('setMulti', fn () => told($c, $c->setMulti($many)));
step('getMulti in the order asked', fn () => $c->getMulti([...$keys, 'none'],
    Memcached::GET_PRESERVE_ORDER));
step('getMulti of nothing', fn () => told($c, $c->getMulti(['none', 'nothing'])));
step('getMulti extended: names', fn () => array_keys(
    $c->getMulti(['m1'], Memcached::GET_EXTENDED)['m1']));
step('getDelayed and fetchAll', function () use ($c, $keys) {
    $c->getDelayed($keys);
    $found = $c->fetchAll();
    return count($found);
});
step('getDelayed and fetch', fn () => $c->getDelayed(['m7']) ? $c->fetch() : null);
step('fetch at the end', fn () => told($c, $c->fetch()));
step('delete', fn () => told($c, $c->delete('m0')));
step('delete of nothing', fn () => told($c, $c->delete('m0')));
step('deleteMulti', fn () => $c->deleteMulti(['m1', 'm2', 'none']));
step('getMulti after deletes', fn () => $c->getMulti(['m0', 'm1', 'm2', 'm3']));
step('setByKey', fn () => told($c, $c->setByKey('group', 'g1', 'v')));
step('getByKey', fn () => told($c, $c->getByKey('group', 'g1')));
step('getMultiByKey', fn () => $c->getMultiByKey('group', ['g1', 'none']));
step('deleteByKey', fn () => told($c, $c->deleteByKey('group', 'g1')));

// ---- sizes and bytes ----
step('set of 1 MB', fn () => told($c, $c->set('big', $big)));
step('get of 1 MB', fn () => $c->get('big'));
step('set of 1 MB, packed', function () use ($c, $big) {
    $c->setOption(Memcached::OPT_COMPRESSION, true);
    return told($c, $c->set('big', $big));
});
step('get of 1 MB, packed', fn () => $c->get('big'));
step('set of an empty value', fn () => $c->set('empty', ''));
step('get of an empty value', fn () => told($c, $c->get('empty')));
step('set of bytes', fn () => $c->set('bytes', $bytes));
step('get of bytes', fn () => $c->get('bytes'));
step('set of the longest key', fn () => told($c, $c->set(str_repeat('k', 250), 'long')));
step('get of the longest key', fn () => $c->get(str_repeat('k', 250)));
step('set of a longer key', fn () => told($c, $c->set(str_repeat('k', 251), 'long')));
step('set of a key with a space', fn () => told($c, $c->set('a b', 'x')));
step('set of text', fn () => told($c, $c->set('ключ', 'значение')));
step('get of text', fn () => $c->get('ключ'));

// ---- options ----
$options = [
    'prefix' => [Memcached::OPT_PREFIX_KEY, 'prefix:'],
    'no delay' => [Memcached::OPT_TCP_NODELAY, true],
    'no block' => [Memcached::OPT_NO_BLOCK, true],
    'no reply' => [Memcached::OPT_NOREPLY, true],
    'buffered writes' => [Memcached::OPT_BUFFER_WRITES, true],
    'consistent' => [Memcached::OPT_LIBKETAMA_COMPATIBLE, true],
];
foreach ($options as $name => [$option, $value]) {
    $other = new Memcached();
    $other->addServer($host, $port);
    $other->setOption($option, $value);
    step("set with $name", fn () => $other->set('opt', $name));
    step("get with $name", fn () => $other->get('opt'));
}

// ---- ends ----
step('quit', fn () => $c->quit());
step('get after quit', fn () => $c->get('m3'));
step('resetServerList', fn () => $c->resetServerList());
step('get without a server', fn () => told($c, $c->get('m3')));
step('addServers', fn () => $c->addServers([[$host, $port]]));
step('get after that', fn () => $c->get('m3'));
for ($i = 1; $i <= 2; $i++) {
    step("persistent $i", function () use ($host, $port) {
        $kept = new Memcached('kept');
        return [$kept->isPristine(), $kept->getServerList() || $kept->addServer($host, $port),
            $kept->get('m3')];
    });
}
step('flush', fn () => told($c, $c->flush()));
step('getMulti of the flushed', fn () => $c->getMulti($keys));
step('set after the flush', fn () => $c->set('s', 'new'));
step('get after the flush', fn () => $c->get('s'));
step('no server', function () use ($host) {
    $lost = new Memcached();
    $lost->addServer($host, 1);
    return $lost->get('s');
});
finish();
