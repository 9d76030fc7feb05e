package Steps;
# SPDX-License-Identifier: Apache-2.0
# How the Perl scripts print: a line per call. Perl knows text, nothing, lists and maps.

use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use Exporter qw(import);
use Scalar::Util qw(blessed);

our @EXPORT = qw($HOST $PORT begin_transcript step end_transcript);
our ( $HOST, $PORT ) = @ARGV;

my $LONG = 200;

sub show {
    my ($value) = @_;
    return 'undef' unless defined $value;
    return '[' . join( ', ', map { show($_) } @$value ) . ']' if ref $value eq 'ARRAY';
    return '{' . join( ', ', map { show($_) . ' => ' . show( $value->{$_} ) } sort keys %$value ) . '}'
      if ref $value eq 'HASH';
    return 'an object of ' . blessed($value) if blessed($value);
    return show($$value) if ref $value;
    utf8::encode($value) if utf8::is_utf8($value);
    return 'text of ' . length($value) . ', md5 ' . md5_hex($value) if length $value > $LONG;
    $value =~ s/([^\x20-\x7e]|["\\])/sprintf '\\x%02x', ord $1/ge;
    return qq("$value");
}

sub begin_transcript {
    my ( $version, $protocol ) = @_;
    $| = 1;
    print "# version: $version\n# protocol: $protocol\n";
}

# One named call, in list context. A death is an answer too, but not the place where it happened.
sub step {
    my ( $name, $call ) = @_;
    my @found = eval { $call->() };
    my $error = $@;
    $error =~ s/,? at \S+ line \d+.*//s;
    print "$name -> ", $error ? 'died ' . show($error) : join( ', ', map { show($_) } @found ), "\n";
}

sub end_transcript {
    print "# end\n";
}

1;
