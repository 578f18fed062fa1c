"""What editors highlight, from the tables of the language: the words and signs of the scanner (grammar/lexer.re) and the
names that `vgraph help` lists, which come from the program's own tables. Makes the texts of Vim's syntax file and of the
TextMate grammar."""
import json
import os
import re
import subprocess
import textwrap

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
EDITORS = os.path.join(ROOT, "examples", "editors")
VIM = os.path.join(EDITORS, "vim", "syntax", "nn.vim")
TEXTMATE = os.path.join(EDITORS, "vscode", "syntaxes", "nn.tmLanguage.json")

# What a word of the scanner is for; each has to stand in one of these.
DECLARES = ["const", "data", "input", "var", "state", "update"]      # a value of this name
DEFINES = ["def", "layer", "initializer", "optimizer"]                # a function of this name
BEGINS = ["use", "return", "train", "summary", "expect"]             # some other statement
BRANCHES = ["if", "then", "else"]
REPEATS = ["for", "in"]
LOGIC = ["and", "or", "not"]
TRUTH = ["true", "false"]
TAILS = ["as", "every"]                                               # behind a summary or an expect
VALUES = ["pi", "inf", "step", "steps", "training"]                   # of the library, without brackets
KINDS = ["scalar", "histogram", "image"]
WORDS = DECLARES + DEFINES + BEGINS + BRANCHES + REPEATS + LOGIC + TRUTH + TAILS

FUNCTIONS = ["elementwise functions", "functions and distributions", "the standard library", "data sources"]
SETTINGS = "settings of train"


class Tables:
    """words and signs: of the scanner. names: of the library. settings: of a train block."""

    def __init__(self, program):
        scanner = open(os.path.join(ROOT, "grammar", "lexer.re"), encoding="utf-8").read()
        tokens = re.findall(r'^    "([^"]+)"\s+\{ TOKEN\(VG_(?:T|SCAN)_(\w+)\)', scanner, re.MULTILINE)
        self.words = [text for text, _ in tokens if text.isalpha()]
        self.signs = [text for text, _ in tokens
                      if not text.isalnum() and text not in "()[]{},;." and "\\" not in text]
        sections, section = {}, None
        for line in subprocess.run([program, "help"], capture_output=True, text=True, check=True).stdout.splitlines():
            if line.startswith("  "):
                sections[section] += line.split()
            else:
                section = line
                sections[section] = []
        self.names = sorted({name for key in FUNCTIONS for name in sections[key]} - set(VALUES))
        self.settings = sorted(set(sections[SETTINGS]))
        assert sorted(self.words) == sorted(WORDS), set(self.words) ^ set(WORDS)
        assert len(self.names) > 80 and len(self.signs) > 15 and "dense" in self.names


# ---- Vim

def vim_words(group, words):
    """Matches, not keywords, which would come before everything that a place says."""
    lines = textwrap.wrap(" ".join(words), 90)
    return "\n".join(r"syntax match %s '\<\%%(%s\)\>'" % (group, line.replace(" ", r"\|")) for line in lines)


def vim(tables):
    signs = "\\|".join(re.sub(r"([*.^~\[\]/\\])", r"\\\1", sign) for sign in sorted(tables.signs, key=lambda s: (-len(s), s)))
    begins = "\\|".join(DECLARES + DEFINES + BEGINS)
    return r'''" Vim syntax file of .nn, the models of vgraph. Written by tests/editors.py: do not edit.
if exists('b:current_syntax')
  finish
endif

syntax match nnSign '%(signs)s'
syntax match nnSelector '\.\*\*\?\|\[\*\]'
syntax match nnNumber '\<\d\+\%%(_\d\+\)*\%%(\.\d\+\%%(_\d\+\)*\)\?\%%([eE][+-]\?\d\+\%%(_\d\+\)*\)\?'

%(words)s
" Names that look like functions: what is bound, an argument's name, a member.
syntax match nnName '\<\h\w*\ze\s*=\%%(=\)\@!'
syntax match nnName '\%%([^.]\.\)\@<=\h\w*'

" Statements: a word that begins one is a name elsewhere.
syntax match nnStatement '\%%(^\|[;{]\)\s*\zs\%%(%(begins)s\)\>'
syntax match nnDeclared '\%%(\%%(^\|[;{]\)\s*\%%(%(declares)s\)\s\+\)\@<=\h\w*'
syntax match nnDefined '\%%(\%%(^\|[;{]\)\s*\%%(%(defines)s\)\s\+\)\@<=\h\w*'
syntax match nnKind '\%%(\%%(^\|[;{]\)\s*summary\s\+\)\@<=\%%(%(kinds)s\)\>'
syntax match nnSetting '\%%(^\|[;{]\)\s*\zs\%%(%(settings)s\)\ze\s*=\%%(=\)\@!'
syntax match nnTail '\s\@<=as\ze\s*"'
syntax match nnTail '\s\@<=every\ze\s\+[[:alnum:](]'

syntax match nnEscape '\\[nt"\\{}]' contained
syntax region nnInserted matchgroup=nnEscape start='{' end='}' contained oneline contains=nnSign,nnNumber,nnFunction,nnValue,nnString
syntax region nnString start='"' skip='\\.' end='"' oneline contains=nnEscape,nnInserted
syntax match nnComment '#.*$' contains=@Spell

highlight default link nnSign Operator
highlight default link nnSelector Special
highlight default link nnNumber Number
highlight default link nnFunction Function
highlight default link nnValue Constant
highlight default link nnConditional Conditional
highlight default link nnRepeat Repeat
highlight default link nnLogic Operator
highlight default link nnBoolean Boolean
highlight default link nnStatement Statement
highlight default link nnDeclared Identifier
highlight default link nnDefined Function
highlight default link nnKind Type
highlight default link nnSetting Identifier
highlight default link nnTail Statement
highlight default link nnEscape SpecialChar
highlight default link nnString String
highlight default link nnComment Comment

let b:current_syntax = 'nn'
''' % {
        "signs": signs, "begins": begins,
        "words": "\n".join(vim_words(*row) for row in (
            ("nnFunction", tables.names), ("nnValue", VALUES), ("nnConditional", BRANCHES), ("nnRepeat", REPEATS),
            ("nnLogic", LOGIC), ("nnBoolean", TRUTH))),
        "declares": "\\|".join(DECLARES), "defines": "\\|".join(DEFINES), "kinds": "\\|".join(KINDS),
        "settings": "\\|".join(tables.settings),
    }


# ---- TextMate

NAME = r"[^\W\d]\w*"
NUMBER = r"[0-9]+(?:_[0-9]+)*(?:\.[0-9]+(?:_[0-9]+)*)?(?:[eE][+-]?[0-9]+(?:_[0-9]+)*)?"


def either(words):
    return "(?:%s)" % "|".join(words)


def match(pattern, name=None, **captures):
    rule = {"match": pattern}
    if name:
        rule["name"] = name + ".nn"
    if captures:
        rule["captures"] = {number[1:]: {"name": scope + ".nn"} for number, scope in captures.items()}
    return rule


def textmate(tables):
    start = r"(?:^|(?<=[;{]))\s*"
    signs = either(re.escape(sign) for sign in sorted(tables.signs, key=lambda s: (-len(s), s)))
    expression = [
        {"include": "#comment"},
        {"include": "#string"},
        match(r"(?<![\w.])" + NUMBER, "constant.numeric"),
        match(r"\.\*\*?|\[\*\]", "keyword.operator.selector"),
        match(r"(?<!\w)%s\b" % either(BRANCHES + REPEATS), "keyword.control"),
        match(r"(?<!\w)%s\b" % either(LOGIC), "keyword.operator.logical"),
        match(r"(?<!\w)%s\b" % either(TRUTH), "constant.language"),
        match(r"\b(as)(?=\s*\")|\b(every)(?=\s+[\w(])", None, _1="keyword.other", _2="keyword.other"),
        match(r"(?<=[^.]\.)%s" % NAME, "variable.other.member"),
        match(r"%s(?=\s*=(?!=))" % NAME, "variable.other"),
        match(r"(?<!\w)%s\b" % either(VALUES), "support.constant"),
        match(r"(?<!\w)%s\b" % either(tables.names), "support.function"),
        match(r"%s(?=\()" % NAME, "entity.name.function"),
        match(NAME, "variable.other"),
        match(signs, "keyword.operator"),
        match(r"[,;]", "punctuation.separator"),
    ]
    statements = [
        match(start + "(%s)" % either(DECLARES) + r"\s+(" + NAME + ")", None, _1="keyword.declaration",
              _2="variable.other.declaration"),
        match(start + "(%s)" % either(DEFINES) + r"\s+(" + NAME + ")", None, _1="storage.type.function",
              _2="entity.name.function"),
        match(start + r"(summary)\s+(%s)\b" % either(KINDS), None, _1="keyword.other", _2="storage.type"),
        match(start + r"(%s)\b" % either(BEGINS), None, _1="keyword.other"),
        match(start + r"(%s)(?=\s*=(?!=))" % either(tables.settings), None, _1="variable.other.setting"),
    ]
    grammar = {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "information_for_contributors": ["Written by tests/editors.py: do not edit."],
        "name": "vgraph model",
        "scopeName": "source.nn",
        "fileTypes": ["nn"],
        "patterns": statements + [{"include": "#expression"}],
        "repository": {
            "expression": {"patterns": expression},
            "comment": match("#.*$", "comment.line.number-sign"),
            "string": {
                "name": "string.quoted.double.nn",
                "begin": "\"",
                "end": "\"|$",
                "patterns": [
                    match(r"\\[nt\"\\{}]", "constant.character.escape"),
                    {
                        "name": "meta.interpolation.nn",
                        "begin": r"\{",
                        "end": r"\}|$",
                        "beginCaptures": {"0": {"name": "punctuation.section.interpolation.begin.nn"}},
                        "endCaptures": {"0": {"name": "punctuation.section.interpolation.end.nn"}},
                        "patterns": [{"include": "#expression"}],
                    },
                ],
            },
        },
    }
    return json.dumps(grammar, indent=2) + "\n"


def files(program):
    """{path: text} of all that is generated."""
    tables = Tables(program)
    return {VIM: vim(tables), TEXTMATE: textmate(tables)}
