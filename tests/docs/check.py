#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Manual pages, completions and the guide say what the program does.

    tests/docs/check.py BINARY DOCUMENTS

BINARY is a built ringmaster, DOCUMENTS the folder the build writes them to (build/release/man).
A few seconds; nothing is started but the binary, and not as a proxy.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lint"))

from files import ROOT, Report  # noqa: E402

PAGES = ("ringmaster.8", "ringmaster.yml.5", "ringmaster-stats.5")
PAGE_OF_REFERENCE = {"ringmaster 8", "ringmaster.yml 5", "ringmaster-stats 5"}

report = Report()
binary = str(pathlib.Path(sys.argv[1]).resolve())
documents = pathlib.Path(sys.argv[2]).resolve()


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **more)


def expect(name, good, text):
    report.check(name)
    if not good:
        report.problem(name, text)


def expect_equal(name, what, there, wanted):
    """Both ways: what is missing and what is too much."""
    for one in sorted(wanted - there):
        expect(name, False, f"{what}: {one} is missing")
    for one in sorted(there - wanted):
        expect(name, False, f"{what}: {one} is not the program's")
    report.check(name)


# ---- pages ----

def check_lint(page):
    name = f"mandoc -Tlint has nothing to say about {page}"
    # A page that this machine does not have is no fault of ours, unless it is one of ours.
    foreign = re.compile(r"referenced manual not found: Xr (\S+ \d)|outdated mandoc.db")
    report.check(name)
    for line in (lambda r: r.stdout + r.stderr)(
            run("mandoc", "-T", "lint", "-W", "all", documents / page)).splitlines():
        match = foreign.search(line)
        if not match or "not found" in line and match.group(1).startswith("ringmaster") \
                and match.group(1) not in PAGE_OF_REFERENCE:
            report.problem(name, line)


def rendered(page):
    """The page as a person reads it, on one long line a paragraph; warnings are a failure."""
    result = run("man", "--warnings", "-l", documents / page,
                 env={"MANWIDTH": "1000", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin",
                      "MAN_KEEP_FORMATTING": "", "MANPAGER": "cat"})
    expect(f"man renders {page}", result.returncode == 0 and not result.stderr,
           result.stderr or f"exit code {result.returncode}")
    expect(f"man renders {page}", "@" not in result.stdout, "something was not filled in")
    return result.stdout


def options_of_help(text):
    """{"-c, --conf-file=FILE": default} of `ringmaster --help`."""
    found = {}
    for line in text.splitlines():
        match = re.match(r" +((?:-\w, )?--[\w-]+(?:=\S+)?) {2,}(.*)", line)
        if match:
            default = re.search(r"\(default: (.*)\)$", match.group(2))
            found[match.group(1)] = default.group(1) if default else None
    return found


def options_of_page(source):
    """The same of the source of the page."""
    found = {}
    section = source.split(".Sh OPTIONS\n")[1].split("\n.Sh ")[0]
    for item in section.split("\n.It ")[1:]:
        head, body = item.split("\n", 1)
        head = head.replace(" Ns ", "").replace("Ns ", "").replace("Fl Fl ", "--")
        head = head.replace("Fl ", "-").replace(" , ", ", ").replace("Ar ", "").replace("Cm ", "")
        words = " ".join(re.sub(r"^\.\w+ ", "", line) for line in body.splitlines())
        default = re.search(r"Default: (\S+?) ?\.?(?: below|$|,| \.|,)", words.replace(" ,", ","))
        found[head] = default.group(1).rstrip(".,") if default else None
    return found


def check_options():
    name = "ringmaster(8) has the options of --help with their arguments and defaults"
    wanted = options_of_help(run(binary, "--help").stdout)
    there = options_of_page((documents / "ringmaster.8").read_text())
    expect(name, len(wanted) > 10, "no options were found in --help")
    expect_equal(name, "option", set(map(str, there.items())), set(map(str, wanted.items())))


def commands_of_help():
    """{"stop": ["--drain"], "where": []}"""
    part = run(binary, "--help").stdout.split("\nCommands to the running proxy")[1]
    return {match.group(1): re.findall(r"--\w+", match.group(2))
            for match in re.finditer(r"^  (\w+)(.*?)  ", part, re.MULTILINE)}


def check_commands():
    name = "ringmaster(8) has the commands of --help with their words"
    part = run(binary, "--help").stdout.split("\nCommands to the running proxy")[1]
    wanted = {m.group(1) for m in re.finditer(r"^  (\w+(?: \S+)*)  ", part, re.MULTILINE)}
    source = (documents / "ringmaster.8").read_text()
    section = source.split(".Sh COMMANDS\n")[1].split("\n.Sh ")[0]
    there = set()
    for head in re.findall(r"^\.It (.*)$", section, re.MULTILINE):
        head = re.sub(r"Op Fl Fl (\w+)", r"[--\1]", head)
        there.add(head.replace("Cm ", "").replace("Ar ", ""))
    expect(name, len(wanted) > 5, "no commands were found in --help")
    expect_equal(name, "command", there, wanted)


def tags(source, section):
    return set(re.findall(r"^\.It Ic (\w+)", source.split(f".Sh {section}\n")[1].split("\n.Sh ")[0],
                          re.MULTILINE))


def check_keys():
    """The lists are made from the tables; here it is seen that they have all of their rows."""
    name = "ringmaster.yml(5) has every key"
    source = (documents / "ringmaster.yml.5").read_text()
    for section, table in (("POOL KEYS", "pool_keys.def"), ("PROCESS KEYS", "process_keys.def")):
        rows = re.findall(r"^RM_\w+_KEY\((\w+),", (ROOT / "config" / table).read_text(),
                          re.MULTILINE)
        expect_equal(name, section, tags(source, section), set(rows))
    name = "ringmaster-stats(5) has every stat"
    source = (documents / "ringmaster-stats.5").read_text()
    rows = re.findall(r'^RM_(POOL|SERVER)_STAT(?:_OWN)?\(\w+, "(\w+)"',
                      (ROOT / "common/stats/stats.def").read_text(), re.MULTILINE)
    for kind in ("POOL", "SERVER"):
        expect_equal(name, kind, tags(source, f"{kind} STATS"), {r for k, r in rows if k == kind})
    name = "ringmaster.yml(5) names the keys a reload does not change"
    fixed = re.findall(r'^ +keep\("(\w+)"', (ROOT / "master/settings.cc").read_text(), re.MULTILINE)
    section = (documents / "ringmaster.yml.5").read_text().split(".Sh WHAT A RELOAD CHANGES\n")[1]
    there = set(re.findall(r"^\.Ic (\w+)", section.split("\n.Sh ")[0], re.MULTILINE))
    expect(name, len(fixed) > 3, "settings.cc was not understood")
    expect_equal(name, "key", there, set(fixed))


def check_signals():
    name = "ringmaster(8) has the signals and variables the program acts on"
    source = (documents / "ringmaster.8").read_text()
    readme = (ROOT / "README.md").read_text().split("\n## Signals\n")[1].split("\n### ")[0]
    rows = re.findall(r"^\| ([A-Z0-9, ]+) \|", readme, re.MULTILINE)
    wanted = {signal for row in rows for signal in row.split(", ")}
    section = source.split(".Sh SIGNALS\n")[1].split("\n.Sh ")[0]
    heads = " ".join(re.findall(r"^\.It Dv (.*)$", section, re.MULTILINE))
    expect_equal(name, "signal", set(re.findall(r"SIG(\w+)", heads)), wanted)
    variables = set()
    for folder in ("master", "worker", "common", "config"):
        for path in (ROOT / folder).rglob("*.cc"):
            variables |= set(re.findall(r'"(NOTIFY_SOCKET|WATCHDOG_\w+)"', path.read_text()))
    for path in (ROOT / "master").glob("*.h"):
        variables |= set(re.findall(r'k\w+Variable = "(\w+)"', path.read_text()))
    heads = " ".join(re.findall(r"^\.It Ev (.*)$", source, re.MULTILINE))
    expect_equal(name, "variable", set(re.findall(r"\w+", heads)), variables)


# ---- completions ----

BASH = """
source "$1"
shift
line=$(complete -p ringmaster) || exit 1
function=${line#*-F }
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
"${function%% *}" ringmaster "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def bash_offers(*words, folder=None):
    script = documents / "completions/bash/ringmaster"
    result = run("bash", "--norc", "-uc", BASH, "bash", script, "ringmaster", *words, cwd=folder)
    problem = result.stderr or (f"exit code {result.returncode}" if result.returncode else "")
    return set(result.stdout.split()), problem


def fish_offers(line, folder=None):
    script = documents / "completions/fish/ringmaster.fish"
    with tempfile.TemporaryDirectory() as home:
        result = run("fish", "--no-config", "-c", 'source $argv[1]; complete -C $argv[2]',
                     script, line, cwd=folder,
                     env={"HOME": home, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
    problem = result.stderr or (f"exit code {result.returncode}" if result.returncode else "")
    return {text.split("\t")[0] for text in result.stdout.splitlines() if text}, problem


def check_completions():
    for shell, script in (("bash", "bash/ringmaster"), ("zsh", "zsh/_ringmaster")):
        result = run(shell, "-n", documents / "completions" / script)
        expect(f"{shell} reads its completion", result.returncode == 0 and not result.stderr,
               result.stderr)
    result = run("fish", "--no-execute", documents / "completions/fish/ringmaster.fish")
    expect("fish reads its completion", result.returncode == 0, result.stderr)

    help_text = run(binary, "--help").stdout
    options = set()
    for head in options_of_help(help_text):
        options |= set(re.findall(r"(?:^|\s)(--?[\w-]+)", head))
    commands = commands_of_help()
    long_options = {o for o in options if o.startswith("--")}
    always = {"-h", "--help", "-c", "--conf-file", "--control"}
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "pools.yml").touch()
        (pathlib.Path(folder) / "pools.d").mkdir()
        files = {"pools.yml", "pools.d"}
        # The words of a line, the last one unfinished; what is offered.
        cases = [(["re"], {"reload", "readmit"}),
                 ([""], set(commands)),
                 (["-"], options),
                 (["--"], long_options),
                 (["--wor"], {"--workers"}),
                 (["-c", "po"], files),
                 (["--conf-file", "po"], files),
                 (["--conf-file", "=", "po"], files),
                 (["--conf-file", "="], files),
                 (["--workers", ""], {"auto"}),
                 (["-s", ""], set()),
                 (["log", "1"], {"1", "10", "11"}),
                 (["log", "-c", "x", "1"], {"1", "10", "11"}),
                 (["log", "5", "1"], set()),
                 (["where", "pool", ""], set()),
                 (["reload", "-c", "po"], files),
                 (["status", "--js"], {"--json"}),
                 (["stop", "--conf-file=x", "--d"], {"--drain"})]
        cases += [([c, "-"], always | set(flags)) for c, flags in commands.items()]
        for words, wanted in cases:
            name = "bash offers what the command line takes"
            offers, problem = bash_offers(*words, folder=folder)
            expect(name, not problem, f"ringmaster {' '.join(words)}: {problem}")
            expect_equal(name, f"ringmaster {' '.join(words)}", offers, wanted)

        for line, wanted in (("re", {"reload", "readmit"}), ("--", long_options),
                             ("-c po", {"pools.yml", "pools.d/"}), ("--workers ", {"auto"}),
                             ("status --", {"--json", "--help", "--conf-file", "--control"}),
                             ("log 1", {"1", "10", "11"}), ("where ", set())):
            name = "fish offers what the command line takes"
            offers, problem = fish_offers(f"ringmaster {line}", folder)
            expect(name, not problem, f"ringmaster {line}: {problem}")
            expect_equal(name, f"ringmaster {line}", offers, wanted)

    zsh = (documents / "completions/zsh/_ringmaster").read_text()
    name = "zsh knows every option and command"
    expect_equal(name, "option", set(re.findall(r"\)(--?[\w-]+)[=+]?\[", zsh)),
                 options | {f for flags in commands.values() for f in flags})
    listed = zsh.split("commands=(\n")[1].split("\n    )")[0]
    expect_equal(name, "command", set(re.findall(r"'(\w+):", listed)), set(commands))
    expect(name, zsh.startswith("#compdef ringmaster\n"), "#compdef has to be the first line")


# ---- what the documents show ----

def check_examples():
    """Every YAML that a page or the guide shows is a configuration the program takes."""
    name = "configurations in documents are good"
    texts = []
    for path in (ROOT / "README.md", *sorted((ROOT / "man").glob("*.md"))):
        texts += [(path.name, t)
                  for t in re.findall(r"^```yaml\n(.*?)^```", path.read_text(), re.M | re.S)]
    for page in PAGES:
        blocks = re.findall(r"^\.Bd .*?\n(.*?)^\.Ed", (documents / page).read_text(), re.M | re.S)
        texts += [(page, t) for t in blocks if "servers:" in t]
    expect(name, len(texts) >= 3, "too few configurations were found")
    for where, text in texts:
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            file.write(text)
            file.flush()
            result = run(binary, "-t", "-c", file.name)
            expect(name, result.returncode == 0, f"{where}: {result.stderr}")


def check_changelog():
    name = "CHANGELOG.md has this version on top"
    version = re.search(r"ringmaster-(\S+)", run(binary, "-V").stdout).group(1)
    heads = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    heads = [head for head in heads if head != "[Unreleased]"]
    expect(name, heads and re.fullmatch(re.escape(f"[{version}]") + r" - \d{4}-\d\d-\d\d", heads[0]),
           f"{version}, not {heads[:1]}")
    expect(name, all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", h) for h in heads),
           "a heading is not '## [X.Y.Z] - YYYY-MM-DD'")


for one in PAGES:
    check_lint(one)
    rendered(one)
check_options()
check_commands()
check_keys()
check_signals()
check_completions()
check_examples()
check_changelog()
report.finish()
