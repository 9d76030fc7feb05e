# SPDX-License-Identifier: Apache-2.0
"""The command line: nutcracker's flags with their meaning, and clear answers to wrong ones."""

import re
import subprocess

import pytest

from harness import (BINARY, NUTCRACKER, free_port, make_config, pool, port_is_open, run_binary,
                     spawn, wait_until)

FLAGS = {"-h": "--help", "-V": "--version", "-t": "--test-conf", "-d": "--daemonize",
         "-D": "--describe-stats", "-v": "--verbose", "-o": "--output", "-c": "--conf-file",
         "-s": "--stats-port", "-a": "--stats-addr", "-i": "--stats-interval",
         "-p": "--pid-file", "-m": "--mbuf-size"}

GOOD = make_config({"alpha": pool(["127.0.0.1:6379:1"])})


@pytest.fixture
def good(folder):
    path = folder / "good.yml"
    path.write_text(GOOD)
    return path


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_version_prints_the_one_version_number(flag):
    code, out, err = run_binary(flag)
    assert code == 0
    assert re.search(r"ringmaster\W+0\.1\.0\b", out + err)


def test_version_tells_what_the_binary_is_made_of():
    _, out, _ = run_binary("-V")
    first, second, empty, commit, libraries, toolchain = out.splitlines()
    assert (first, second, empty) == ("This is ringmaster-0.1.0", "async event backend: libuv", "")
    assert re.fullmatch(r"commit ([0-9a-f]{40}|unknown)", commit)
    names = [re.fullmatch(r"(\S+) \d+\.\d+\.\d+", one).group(1) for one in libraries.split(", ")]
    assert names == ["libuv", "libyaml", "CLI11", "fmt", "spdlog", "nlohmann-json"]
    assert re.fullmatch(r"(g\+\+|clang\+\+) \d+\.\d+\.\d+, glibc \d+\.\d+", toolchain)


@pytest.mark.parametrize("flag", ["-h", "--help", "-?"])
def test_help_names_every_flag(flag):
    code, out, err = run_binary(flag)
    assert code == 0
    for short, long in [*FLAGS.items(), ("", "--workers")]:
        assert long in out + err
        assert short in out + err


def test_describe_stats_lists_every_counter_in_nutcrackers_order():
    code, out, err = run_binary("-D")
    assert code == 0
    names = ["client_eof", "client_err", "client_connections", "server_ejects", "forward_error",
             "fragments", "server_eof", "server_err", "server_timedout", "server_connections",
             "server_ejected_at", "requests", "request_bytes", "responses", "response_bytes",
             "in_queue", "in_queue_bytes", "out_queue", "out_queue_bytes"]
    found = re.findall(r'^\s+(\w+)\s+"[^"]+"', out + err, re.MULTILINE)
    assert [name for name in found if name in names] == names


@pytest.mark.parametrize("arguments", [["-t", "-c"], ["--test-conf", "--conf-file"], ["-tc"]])
def test_a_good_config_passes_the_check(good, arguments):
    code, out, err = run_binary(*arguments, good)
    assert code == 0, out + err
    assert "syntax is ok" in out + err


def test_the_check_binds_nothing_and_writes_nothing(folder, good):
    code, out, err = run_binary("-t", "-c", good, "-p", folder / "pid", "-o", folder / "log",
                                cwd=folder)
    assert code == 0, out + err
    assert sorted(path.name for path in folder.iterdir() if path.name != "log") == ["good.yml"]


def test_the_default_config_is_conf_nutcracker_yml_in_the_current_folder(folder):
    (folder / "conf").mkdir()
    (folder / "conf" / "nutcracker.yml").write_text(GOOD)
    assert run_binary("-t", cwd=folder)[0] == 0
    (folder / "conf" / "nutcracker.yml").unlink()
    assert run_binary("-t", cwd=folder)[0] == 1


def test_the_check_prints_every_problem_with_its_place_and_a_hint(folder):
    path = folder / "bad.yml"
    path.write_text("alpha:\n"
                    "  lisen: 127.0.0.1:22121\n"
                    "  hash: fnv1a_65\n"
                    "  timeout: soon\n"
                    "  servers:\n"
                    "    - 127.0.0.1:6379:1\n"
                    "    - 127.0.0.1:99999:1\n")
    code, out, err = run_binary("-t", "-c", path)
    text = out + err
    assert code == 1
    assert re.search(rf"{path}:2:3: .*lisen.*did you mean 'listen'", text), text
    assert re.search(rf"{path}:3:\d+: .*hash", text), text
    assert re.search(rf"{path}:4:\d+: .*timeout", text), text
    assert re.search(rf"{path}:7:\d+: .*port", text), text
    assert "syntax is ok" not in text


def test_a_missing_config_file_is_one_clear_line(folder):
    code, out, err = run_binary("-t", "-c", folder / "none.yml")
    assert code == 1
    assert "none.yml" in out + err
    assert "No such file or directory" in out + err


def test_a_broken_config_does_not_start(folder):
    path = folder / "bad.yml"
    path.write_text("alpha:\n  listen: 127.0.0.1:1\n  nonsense: 1\n  servers:\n   - a:1:1\n")
    code, out, err = run_binary("-c", path, "-p", folder / "pid", "-s", free_port())
    assert code == 1
    assert f"{path}:3:3" in out + err
    assert not (folder / "pid").exists()


@pytest.mark.parametrize("arguments", [
    ["-v", "x"], ["-v", "-1"], ["-v", ""], ["-v"],
    ["-s", "x"], ["-s", "0"], ["-s", "65536"], ["-s", "-1"], ["-s"],
    ["-i", "x"], ["-i", "-1"], ["-i"],
    ["-m", "x"], ["-m", "0"], ["-m", "511"], ["-m", "16777217"], ["-m"],
    ["-o"], ["-c"], ["-p"], ["-a"],
    ["--workers", "x"], ["--workers", "-1"], ["--workers", "100000"], ["--workers"],
    ["-z"], ["--nonsense"], ["--help=3"],
], ids=" ".join)
def test_a_bad_flag_is_one_clear_line(good, arguments):
    # -t: should the flag be taken, nothing starts.
    code, out, err = run_binary("-t", "-c", good, *arguments)
    assert code == 1, out + err
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 1, err
    assert arguments[0].lstrip("-").split("=")[0] in lines[0], err


@pytest.mark.parametrize("arguments", [
    ["-v", "0"], ["-v", "11"], ["-v", "99"], ["-v", "007"], ["-s", "1"], ["-s", "65535"],
    ["-i", "0"], ["-i", "30000"], ["-m", "512"], ["-m", "16777216"], ["-a", "::1"],
    ["--workers", "1"], ["--workers", "auto"], ["--stats-port=22223"], ["-s22223"],
    ["-v", "3", "-v", "4"],
], ids=" ".join)
def test_a_good_flag_is_taken(good, arguments):
    code, out, err = run_binary("-t", "-c", good, *arguments)
    assert code == 0, out + err


def test_a_log_file_that_cannot_be_opened_is_one_clear_line(folder, good):
    code, out, err = run_binary("-c", good, "-o", folder / "none" / "log", "-s", free_port())
    assert code == 1
    assert len(err.splitlines()) == 1, err
    assert "No such file or directory" in err


def test_without_output_the_log_goes_to_stderr(folder, good):
    with open(folder / "err", "wb") as err:
        process = spawn([BINARY, "-c", good, "-a", "127.0.0.1", "--control", folder / "control",
                         "-s", free_port(),
                         "--workers", "1"], stdout=subprocess.DEVNULL, stderr=err)
    try:
        wait_until(lambda: b"started" in (folder / "err").read_bytes(), what="the log line")
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()


def test_workers_flag_wins_over_the_config(start_proxy, redis_servers):
    proxy = start_proxy({"r": pool(redis_servers, redis=True)}, process={"workers": 1}, workers=3)
    assert len(proxy.wait_workers(3)) == 3


def test_workers_may_be_set_in_the_config(folder, redis_servers):
    settings = pool(redis_servers, redis=True)
    path = folder / "c.yml"
    path.write_text(make_config({"r": settings}, {"workers": 3}))
    with open(folder / "err", "wb") as err:
        process = spawn([BINARY, "-c", path, "-a", "127.0.0.1", "-s", free_port(),
                         "--control", folder / "control"], stderr=err)
    try:
        wait_until(lambda: b"started" in (folder / "err").read_bytes(), what="the log line")
        children = open(f"/proc/{process.pid}/task/{process.pid}/children").read().split()
        assert len(children) == 3
        process.terminate()
        assert process.wait(20) == 0
        assert not port_is_open(int(settings["listen"].rpartition(":")[2]))
    finally:
        process.kill()


@pytest.mark.skipif(NUTCRACKER is None, reason="nutcracker is not installed")
def test_nutcracker_has_no_flag_that_we_lack():
    theirs = run_binary("-h", binary=NUTCRACKER)
    ours = run_binary("-h")
    flags = set(re.findall(r"^ +(-\w), (--[\w-]+)", theirs[1] + theirs[2], re.MULTILINE))
    assert len(flags) == len(FLAGS)
    for short, long in flags:
        assert short in ours[1] + ours[2]
        assert long in ours[1] + ours[2]
