# frozen_string_literal: true
# SPDX-License-Identifier: Apache-2.0
# How the Ruby scripts print: a line per call, with the type of what came back.

require 'digest'

HOST = ARGV[0]
PORT = ARGV[1].to_i
LONG = 200

# As Ruby would write it; long strings are told by their length and sum.
def show(value)
  case value
  when String
    return value.inspect if value.bytesize <= LONG

    "#{value.encoding} string of #{value.bytesize}, md5 #{Digest::MD5.hexdigest(value)}"
  when Array then "[#{value.map { |part| show(part) }.join(', ')}]"
  when Hash then "{#{value.map { |name, part| "#{show(name)}=>#{show(part)}" }.join(', ')}}"
  when Exception then "#{value.class}: #{value.message}"
  else value.inspect
  end
end

def begin_transcript(version, protocol)
  puts "# version: #{version}", "# protocol: #{protocol}"
end

# One named call. An exception is an answer too.
def step(name)
  text = begin
    show(yield)
  rescue StandardError => e
    "raised #{show(e)}"
  end
  puts "#{name} -> #{text.gsub("\n", "\\n")}"
end

def end_transcript
  puts '# end'
end
