<?php
// SPDX-License-Identifier: Apache-2.0
// How the PHP scripts print: a line per call, with the type of what came back.

[, $host, $port] = $argv;
$port = (int) $port;

const LONG = 200;

/** As PHP would write it; long strings are told by their length and sum. */
function show($value): string
{
    if (is_string($value)) {
        return strlen($value) > LONG
            ? 'string of ' . strlen($value) . ', md5 ' . md5($value)
            : '"' . addcslashes($value, "\0..\37\"\\\177..\377") . '"';
    }
    if (is_array($value)) {
        $parts = [];
        foreach ($value as $name => $part) {
            $parts[] = (array_is_list($value) ? '' : show($name) . ' => ') . show($part);
        }
        return '[' . implode(', ', $parts) . ']';
    }
    if (is_float($value)) {
        return 'float ' . var_export($value, true);
    }
    if ($value instanceof Throwable) {
        return get_class($value) . ': ' . $value->getMessage();
    }
    return is_object($value) ? 'an object of ' . get_class($value) : var_export($value, true);
}

function begin(string $version, string $protocol): void
{
    echo "# version: $version\n# protocol: $protocol\n";
}

/** One named call. An exception is an answer too. */
function step(string $name, callable $call): void
{
    try {
        $text = show($call());
    } catch (Throwable $error) {
        $text = 'raised ' . show($error);
    }
    echo "$name -> " . str_replace("\n", "\\n", $text) . "\n";
}

/** The members of a set in order: a server keeps none. */
function sorted($values)
{
    if (is_array($values)) {
        sort($values);
    }
    return $values;
}

function finish(): void
{
    echo "# end\n";
}
