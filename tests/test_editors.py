#!/usr/bin/env python3
"""The highlighting under examples/editors is that of the language: its files are what tests/editors.py makes of the tables
(--bless writes them anew), and in all models and the library both grammars find the words, names, numbers, strings,
comments and signs that an own small scanner finds. Vim is asked where it is installed, and for its indentation, too."""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import editors

PROGRAM = os.path.abspath(sys.argv[1])
MODELS = sorted(glob.glob(os.path.join(editors.ROOT, "models", "*.nn")) +
                glob.glob(os.path.join(editors.ROOT, "grammar", "std", "*.nn")) +
                glob.glob(os.path.join(editors.ROOT, "tests", "golden", "sketches", "*.nn")))

# What a piece is, and how the grammars call it.
KINDS = {
    "comment": ("comment", "nnComment"), "string": ("string", "nnString"), "number": ("constant.numeric", "nnNumber"),
    "declares": ("keyword.declaration", "nnStatement"), "defines": ("storage.type.function", "nnStatement"),
    "begins": ("keyword.other", "nnStatement"), "branch": ("keyword.control", "nnConditional"),
    "repeat": ("keyword.control", "nnRepeat"), "logic": ("keyword.operator.logical", "nnLogic"),
    "truth": ("constant.language", "nnBoolean"), "value": ("support.constant", "nnValue"),
    "function": ("support.function", "nnFunction"), "kind": ("storage.type", "nnKind"),
    "tail": ("keyword.other", "nnTail"), "setting": ("variable.other.setting", "nnSetting"),
    "selector": ("keyword.operator.selector", "nnSelector"), "sign": ("keyword.operator", "nnSign"),
    "name": ("variable.other|entity.name.function|variable.parameter", "nnName|nnDeclared|nnDefined|"),
}


def word_kind(tables, text, line, begin, end, first, before):
    """What a word is, by where it stands."""
    behind = line[end:]
    binds = re.match(r"\s*=(?!=)", behind)
    if line[:begin].endswith(".") and not line[:begin].endswith(".."):
        return "name"
    if first and binds and text in tables.settings:
        return "setting"
    if first and text in editors.DECLARES + editors.DEFINES + editors.BEGINS:
        return "declares" if text in editors.DECLARES else "defines" if text in editors.DEFINES else "begins"
    if before == "summary" and text in editors.KINDS:
        return "kind"
    for kind, words in (("branch", editors.BRANCHES), ("repeat", editors.REPEATS), ("logic", editors.LOGIC),
                        ("truth", editors.TRUTH)):
        if text in words:
            return kind
    if (text == "as" and re.match(r'\s*"', behind)) or (text == "every" and re.match(r"\s+[\w(]", behind)):
        return "tail"
    if binds or before in editors.DECLARES + editors.DEFINES:
        return "name"
    return "value" if text in editors.VALUES else "function" if text in tables.names else "name"


def pieces(tables, line):
    """(begin, end, kind) of a line; of a string that has an expression in it, what is outside of that."""
    signs = "|".join(re.escape(sign) for sign in sorted(tables.signs, key=lambda s: (-len(s), s)))
    pattern = re.compile(r'(?P<comment>#.*)|(?P<string>"(?:\\.|[^"\\])*")|(?P<selector>\.\*\*?|\[\*\])|(?P<number>(?<![\w.])%s)|'
                         r'(?P<word>[^\W\d]\w*)|(?P<sign>%s)' % (editors.NUMBER, signs))
    first, before = True, None
    for found in pattern.finditer(line):
        kind, text = found.lastgroup, found.group()
        if kind == "word":
            kind = word_kind(tables, text, line, found.start(), found.end(), first, before)
        if kind == "string":
            text = re.sub(r"\{.*\}|\\.", lambda inner: "\0" * len(inner.group()), text)
            for part in re.finditer(r"[^\0]+", text):
                yield found.start() + part.start(), found.start() + part.end(), kind
        else:
            yield found.start(), found.end(), kind
        first, before = False, text


# ---- TextMate: patterns are tried where one stands; of those that match first, the first listed one is taken

class Grammar:
    def __init__(self, path):
        self.grammar = json.load(open(path, encoding="utf-8"))
        self.expressions = {}

    def compiled(self, pattern):
        if pattern not in self.expressions:
            self.expressions[pattern] = re.compile(pattern)
        return self.expressions[pattern]

    def rules(self, patterns):
        for rule in patterns:
            if "include" in rule:
                included = self.grammar["repository"][rule["include"][1:]]
                yield from self.rules(included["patterns"] if "begin" not in included and "match" not in included else [included])
            else:
                yield rule

    def scopes(self, line):
        """The scopes of each character, outermost first."""
        found = [[] for _ in line]
        self.run(line, 0, self.grammar["patterns"], None, found)
        return found

    def run(self, line, at, patterns, end, found):
        rules = list(self.rules(patterns))
        while at <= len(line):
            best = self.compiled(end).search(line, at) if end else None
            chosen = None
            for rule in rules:
                hit = self.compiled(rule.get("match", rule.get("begin"))).search(line, at)
                if hit and (best is None or hit.start() < best.start()):
                    best, chosen = hit, rule
            if best is None:
                return len(line)
            if chosen is None:
                return best.end()
            at = self.apply(line, best, chosen, found)
        return at

    def apply(self, line, hit, rule, found):
        if "begin" in rule:
            end = self.run(line, hit.end(), rule["patterns"], rule["end"], found)
            for k in range(hit.start(), min(end, len(line))):
                found[k].insert(0, rule["name"])
            return end if end > hit.start() else hit.start() + 1
        for number, capture in rule.get("captures", {}).items():
            for k in range(hit.start(int(number)), hit.end(int(number))):
                found[k].append(capture["name"])
        for k in range(hit.start(), hit.end()):
            if "name" in rule:
                found[k].append(rule["name"])
        return hit.end() if hit.end() > hit.start() else hit.end() + 1


def test_textmate(tables):
    grammar, count = Grammar(editors.TEXTMATE), {}
    for path in MODELS:
        for number, line in enumerate(open(path, encoding="utf-8").read().split("\n"), 1):
            scopes = grammar.scopes(line)
            for begin, end, kind in pieces(tables, line):
                wanted = KINDS[kind][0].split("|")
                count[kind] = count.get(kind, 0) + 1
                for k in range(begin, end):
                    got = scopes[k][-1] if scopes[k] else ""
                    assert any(got.startswith(scope) for scope in wanted), \
                        "%s:%d: '%s' is %s, not %s" % (path, number, line[begin:end], scopes[k], kind)
    assert set(count) == set(KINDS), set(KINDS) - set(count)
    print("TextMate: %d pieces of %d files" % (sum(count.values()), len(MODELS)))


# ---- Vim

def vim(folder, script, *files):
    path = os.path.join(folder, "script.vim")
    with open(path, "w") as file:
        file.write("set runtimepath^=%s\nsyntax on\nfiletype plugin indent on\nedit\n" % os.path.join(editors.EDITORS, "vim") + script)
    done = subprocess.run(["vim", "-u", "NONE", "-i", "NONE", "-N", "-n", "-es", "-S", path, *files], capture_output=True,
                          text=True, timeout=300)
    return done


def test_vim(tables):
    if not shutil.which("vim") or "+syntax" not in subprocess.run(["vim", "--version"], capture_output=True, text=True).stdout:
        print("Vim is not installed here: its syntax file was not tried")
        return
    with tempfile.TemporaryDirectory() as folder:
        count = 0
        for path in MODELS:
            lines = open(path, encoding="utf-8").read().split("\n")
            asked = [(number, begin, end, kind) for number, line in enumerate(lines, 1)
                     for begin, end, kind in pieces(tables, line)]
            places, out = os.path.join(folder, "places"), os.path.join(folder, "out")
            with open(places, "w") as file:
                for number, begin, end, _ in asked:
                    for k in (begin, end - 1):
                        file.write("%d %d\n" % (number, len(lines[number - 1][:k].encode()) + 1))
            done = vim(folder, "let names = []\nfor place in readfile('%s')\n  let [line, column] = split(place)\n"
                       "  call add(names, synIDattr(synID(line, column, 1), 'name'))\nendfor\n"
                       "call add(names, &filetype)\ncall writefile(names, '%s')\nquitall!\n" % (places, out), path)
            names = open(out).read().split("\n")
            assert names[-2] == "nn", (names[-2], done.stderr)
            for k, (number, begin, end, kind) in enumerate(asked):
                count += 1
                for name in names[2 * k:2 * k + 2]:
                    assert name in KINDS[kind][1].split("|"), \
                        "%s:%d: '%s' is %s, not %s" % (path, number, lines[number - 1][begin:end], name, kind)
        print("Vim: %d pieces of %d files" % (count, len(MODELS)))
        for path in MODELS:
            copy = os.path.join(folder, "copy.nn")
            shutil.copy(path, copy)
            vim(folder, "silent normal! gg=G\nwrite!\nquitall!\n", copy)
            assert open(copy).read() == open(path).read(), "%s: Vim indents it otherwise" % path


def main():
    wanted, stale = editors.files(PROGRAM), []
    for path, text in wanted.items():
        if "--bless" in sys.argv:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        elif not os.path.exists(path) or open(path, encoding="utf-8").read() != text:
            stale.append("%s is not what the tables say: tests/test_editors.py PROGRAM --bless writes it anew" % path)
    assert not stale, "\n".join(stale)
    tables = editors.Tables(PROGRAM)
    package = json.load(open(os.path.join(editors.EDITORS, "vscode", "package.json")))["contributes"]
    json.load(open(os.path.join(editors.EDITORS, "vscode", package["languages"][0]["configuration"])))
    assert os.path.join(editors.EDITORS, "vscode", package["grammars"][0]["path"][2:]) == editors.TEXTMATE
    test_textmate(tables)
    test_vim(tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
