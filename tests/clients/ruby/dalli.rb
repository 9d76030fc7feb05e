# frozen_string_literal: true
# SPDX-License-Identifier: Apache-2.0
# Dalli with its defaults: the binary protocol.

require 'dalli'
require_relative 'steps'

FAR = 2_100_000_000 # in 2036
BIG = '0123456789abcdef' * 65_000
BINARY = (0..255).to_a.pack('C*').freeze

Dalli.logger.level = Logger::FATAL
begin_transcript(Dalli::VERSION, 'binary')

def connections(c)
  step('alive!') { c.alive!.class }
  step('version: three numbers') { c.version.values.map { |text| text.split('.').length } }
  step('stats: names') { c.stats.values.first.keys & %w[pid uptime curr_connections version] }
end

def values(c)
  step('set') { c.set('s', 'value').class }
  step('get') { c.get('s') }
  step('get of nothing') { c.get('none') }
  step('set of an int') { c.set('int', 12).class }
  step('get of an int') { c.get('int') }
  step('set of an object') { c.set('object', { 'a' => [1, nil, 'x'] }).class }
  step('get of an object') { c.get('object') }
  step('set with a time') { c.set('timed', 'v', 1000).class }
  step('set to the year 2036') { c.set('far', 'v', FAR).class }
  step('get of the far') { c.get('far') }
  step('add') { c.add('added', 1).class }
  step('add again') { c.add('added', 2) }
  step('replace') { c.replace('s', 'third').class }
  step('replace of nothing') { c.replace('none', 'x') }
  step('set raw') { c.set('raw', 'abc', nil, raw: true).class }
  step('append') { c.append('raw', '!') }
  step('append to nothing') { c.append('none', 'x') }
  step('prepend') { c.prepend('raw', '<') }
  step('prepend to nothing') { c.prepend('none', 'x') }
  step('get of the joined') { c.get('raw', raw: true) }
  step('touch') { c.touch('s', 1000) }
  step('touch of nothing') { c.touch('none', 1000) }
  step('gat') { c.gat('s', 1000) }
  step('gat of nothing') { c.gat('none', 1000) }
  step('fetch of what is there') { c.fetch('s') { 'made' } }
  step('fetch of nothing') { c.fetch('fetched') { 'made' } }
  step('get of the fetched') { c.get('fetched') }
  step('fetch of a cached nil') { c.fetch('nil', 1000, cache_nils: true) { nil }.class }
end

def swaps(c)
  step('cas') { c.cas('s') { |value| "#{value}+" }.class }
  step('cas of nothing') { c.cas('none') { 'x' } }
  step('cas!') { c.cas!('fresh') { |value| value.inspect }.class }
  step('get of the swapped') { c.get('s') }
  step('get_cas: value') { c.get_cas('s').first }
  step('get_cas of nothing: value') { c.get_cas('none').first }
  step('set_cas') { c.set_cas('s', 'swapped', c.get_cas('s').last).class }
  step('set_cas that comes too late') { c.set_cas('s', 'late', 1) }
  step('replace_cas') { c.replace_cas('s', 'again', c.get_cas('s').last).class }
  step('delete_cas too late') { c.delete_cas('s', 1) }
  step('delete_cas') { c.delete_cas('s', c.get_cas('s').last) }
  step('get of the deleted') { c.get('s') }
end

def numbers(c)
  step('set of a number') { c.set('n', '12', nil, raw: true).class }
  step('incr') { c.incr('n', 5) }
  step('decr') { c.decr('n', 7) }
  step('decr below zero') { c.decr('n', 100) }
  step('incr of nothing') { c.incr('none') }
  step('incr with a first value') { c.incr('counter', 1, 1000, 5) }
  step('incr after that') { c.incr('counter') }
  step('decr with a first value') { c.decr('down', 1, 1000, 5) }
  step('incr of text') { c.incr('raw') }
end

def many(c)
  keys = (0..40).map { |i| "m#{i}" }
  step('multi sets') { c.multi { keys.first(40).each { |key| c.set(key, key) } } && 'done' }
  step('get_multi') { c.get_multi(*keys).sort }
  step('get_multi of nothing') { c.get_multi('none', 'nothing') }
  step('get_multi_cas: values') { c.get_multi_cas('m1', 'm2').transform_values(&:first).sort }
  step('fetch with get_multi in a block') do
    found = []
    c.get_multi('m1', 'm2') { |key, value| found << [key, value] }
    found.sort
  end
  step('delete') { c.delete('m0') }
  step('delete of nothing') { c.delete('m0') }
  step('quiet deletes') { c.multi { %w[m1 m2 none].each { |key| c.delete(key) } } && 'done' }
  step('get_multi after deletes') { c.get_multi('m0', 'm1', 'm2', 'm3') }
end

def sizes_and_bytes(c)
  step('set of 1 MB') { c.set('big', BIG).class }
  step('get of 1 MB') { c.get('big') }
  step('set of 1 MB, raw') { c.set('big', BIG, nil, raw: true).class }
  step('get of 1 MB, raw') { c.get('big', raw: true) }
  step('set of an empty value') { c.set('empty', '').class }
  step('get of an empty value') { c.get('empty') }
  step('set of bytes') { c.set('bytes', BINARY).class }
  step('get of bytes') { c.get('bytes') }
  step('set of a key that is too long') { c.set('k' * 300, 'long').class }
  step('get of a key that is too long') { c.get('k' * 300) }
  step('set of a key with a space') { c.set('a b', 'spaced').class }
  step('get of a key with a space') { c.get('a b') }
  step('set of text') { c.set('ключ', 'значение').class }
  step('get of text') { c.get('ключ') }
  step('set of an empty key') { c.set('', 'x') }
  step('set of 2 MB') { c.set('huge', 'x' * 2_000_000, nil, raw: true).class }
end

def ends(c)
  step('close') { c.close && 'done' }
  step('get after close') { c.get('m3') }
  step('reset') { c.reset && 'done' }
  step('get after reset') { c.get('m3') }
  step('flush') { c.flush }
  step('get_multi of the flushed') { c.get_multi('m3', 'm4', 'm5') }
  step('set after the flush') { c.set('s', 'new').class }
  step('get after the flush') { c.get('s') }
  step('flush at the end') { c.flush }
end

# Longer than the second by default: a busy machine is no finding.
PATIENT = { socket_timeout: 20 }.freeze
client = Dalli::Client.new("#{HOST}:#{PORT}", PATIENT)
%i[connections values swaps numbers many sizes_and_bytes].each { |part| send(part, client) }
spaced = Dalli::Client.new("#{HOST}:#{PORT}", **PATIENT, namespace: 'ns', compress: false)
step('set in a namespace') { spaced.set('k', BIG).class }
step('get in a namespace') { spaced.get('k') }
ends(client)
step('no server') { Dalli::Client.new("#{HOST}:1", socket_max_failures: 0).get('k') }
end_transcript
