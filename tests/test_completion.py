#!/usr/bin/env python3
"""The manual page and the completions that are installed have every verb, every option and its help, as --help tells them,
and nothing else; bash completes by them what it should. groff, zsh and fish are asked where they are installed."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

PROGRAM = os.path.abspath(sys.argv[1])


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **more)


def told(*arguments):
    done = run(PROGRAM, *arguments)
    assert done.returncode == 0 and not done.stderr, (arguments, done)
    return done.stdout


def tables():
    """{verb: [(option, value, help)]}, from the helps."""
    verbs = re.findall(r"^  (\w+) +\w", told("--help"), re.MULTILINE)
    assert len(verbs) > 10, verbs
    return {verb: re.findall(r"^  --([\w-]+) (\S*) *(.*)$", told(verb, "--help"), re.MULTILINE) for verb in verbs}


def plain(text):
    return re.sub(r"\s+", " ", re.sub(r"-\s*\n\s*", "-", text))


def test_manual(verbs):
    page = told("--manual")
    sections = dict(re.findall(r'^\.SS "vgraph (\w+) [^\n]*"\n(.*?)(?=^\.S[SH])', page, re.MULTILINE | re.DOTALL))
    assert list(sections) == list(verbs), (list(sections), list(verbs))
    for verb, options in verbs.items():
        text = sections[verb].replace("\\-", "-").replace("\\(aq", "'").replace("\\fI", "").replace("\\fR", "").replace("\\e", "\\")
        found = re.findall(r"^\.TP\n\\fB--([\w-]+) ?(.*)\n(?:\\&)?(.*)$", text, re.MULTILINE)
        assert found == options, (verb, found, options)
    if shutil.which("groff"):
        done = run("groff", "-man", "-Tascii", "-ww", "-P-cbou", input=page)
        assert done.returncode == 0 and not done.stderr, done.stderr
        assert plain("--summary STATEMENT") in plain(done.stdout) and "EXIT STATUS" in done.stdout
    if shutil.which("mandoc"):
        done = run("mandoc", "-Tlint", "-Wwarning", input=page)
        assert [line for line in done.stdout.splitlines() if "missing date" not in line] == [], done.stdout


ASK = r"""
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_vgraph
printf '%s\n' "${COMPREPLY[@]}"
"""


def bash(folder, *words):
    done = run("bash", "-c", ASK, "bash", os.path.join(folder, "vgraph.bash"), *words, cwd=folder)
    assert done.returncode == 0 and not done.stderr, done
    return [line for line in done.stdout.split("\n") if line]


# A verb's last option with choices, and an argument that lets the program get as far as judging it.
JUDGED = {"graph": ("stage", "format"), "print": ("format",), "run": ("color",)}


def test_bash(verbs, folder):
    for name in ("a.nn", "b c.nn", "other.txt", "-x.nn"):
        open(os.path.join(folder, name), "w").write("var a: [] = 1\nsummary scalar a\n")
    os.mkdir(os.path.join(folder, "runs"))
    assert bash(folder, "vgraph", "") == list(verbs) + ["--help", "--version"]
    assert bash(folder, "vgraph", "do") == ["doctor"]
    for verb, options in verbs.items():
        assert bash(folder, "vgraph", verb, "-") == ["--" + name for name, _, _ in options], verb
        assert bash(folder, "vgraph", verb, "x.nn", "--he") == ["--help"]
        for name, value, _ in options:
            got = bash(folder, "vgraph", verb, "--" + name, "")
            if value == "FILE":
                assert set(got) >= {"a.nn", "other.txt", "runs"}, (verb, name, got)
            elif value == "DIR":
                assert got == ["runs"], (verb, name, got)
            for word in got if name in JUDGED.get(verb, ()) else ():
                out = ["--out", "out"] if word == "npy" else []
                done = run(PROGRAM, verb, "a.nn", *(["a"] if verb == "print" else []), "--" + name, word, *out, cwd=folder,
                           env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
                assert done.returncode == 0, (verb, name, word, done)
    assert bash(folder, "vgraph", "graph", "a.nn", "--stage", "f") == ["forward", "fused"]
    assert bash(folder, "vgraph", "print", "a.nn", "--format", "") == ["text", "json", "npy"]
    assert sorted(bash(folder, "vgraph", "check", "")) == ["-x.nn", "a.nn", "b c.nn", "runs"]
    assert bash(folder, "vgraph", "report", "") == ["runs"]


def test_others(verbs, folder):
    zsh, fish = told("--completion", "zsh"), told("--completion", "fish")
    for verb, options in verbs.items():
        part = re.search(r"^        %s\)\n(.*?)^            ;;" % verb, zsh, re.MULTILINE | re.DOTALL).group(1)
        names = re.findall(r"'\*--([\w-]+)(=?)\[", part)
        assert names == [(name, "=" if value else "") for name, value, _ in options], (verb, names)
        names = re.findall(r"^complete -c vgraph -n '__fish_seen_subcommand_from %s' -l ([\w-]+)( -[xr])?" % verb, fish, re.MULTILINE)
        assert [(name, bool(takes)) for name, takes in names] == [(name, bool(value)) for name, value, _ in options], (verb, names)
    for shell, check in (("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])):
        if shutil.which(shell):
            done = run(*check, os.path.join(folder, "vgraph." + shell))
            assert done.returncode == 0 and not done.stderr, done
    if shutil.which("fish"):
        ask = "source %s; complete -C 'vgraph graph --sta'; complete -C 'vgraph graph --stage f'" % os.path.join(folder, "vgraph.fish")
        got = run("fish", "-c", ask).stdout
        assert [line.split("\t")[0] for line in got.splitlines()] == ["--stage", "forward", "fused"], got
    done = run(PROGRAM, "--completion", "csh")
    assert done.returncode == 2


def main():
    verbs = tables()
    test_manual(verbs)
    with tempfile.TemporaryDirectory() as folder:
        for shell in ("bash", "zsh", "fish"):
            with open(os.path.join(folder, "vgraph." + shell), "w") as file:
                file.write(told("--completion", shell))
        if shutil.which("bash"):
            test_bash(verbs, folder)
        test_others(verbs, folder)
    print("%d verbs, %d options" % (len(verbs), sum(map(len, verbs.values()))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
