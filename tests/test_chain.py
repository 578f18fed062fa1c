#!/usr/bin/env python3
"""What vgraph doctor proposes is done, as an option or as an edit of a copy of the file, and doctor is asked again: after two
edits at most what they were for is gone, and what the model has had already is not proposed again.

The networks are those of battery.txt which are sick, but for the deepest, which take long. With --verbose, prints each step.
"""
import os
import re
import sys
import tempfile

import test_battery

ROUNDS = 4                  # of edits, whatever they are for
SAME = 2                    # of them for the same rule


def apply_lines(text, edits):
    lines = text.split("\n")
    for edit in re.split(r", and (?=line \d+: )", edits):
        number, line = re.fullmatch(r"line (\d+): (.*)", edit).groups()
        old = lines[int(number) - 1]
        lines[int(number) - 1] = re.match(r"\s*", old).group() + line
        if lines[int(number) - 1] == old:
            raise SystemExit(f"an edit that changes nothing: {edit}")
    return "\n".join(lines)


def apply_option(options, option):
    """--set 'NAME=VALUE' in the place of another --set of that name."""
    kept = list(options)
    for name, value in re.findall(r"--set '([^=]+)=(.*?)'(?: |$)", option):
        for k in range(len(kept) - 2, -1, -1):
            if kept[k] == "--set" and kept[k + 1].split("=")[0] == name:
                del kept[k:k + 2]
        kept += ["--set", f"{name}={value}"]
    return kept


def check(program, model, options, folder, verbose):
    """The complaint, if there is one; and how many edits there were."""
    with open(os.path.join(test_battery.HERE, model), encoding="utf-8") as file:
        text = file.read()
    path, had, rules = os.path.join(folder, "chain.nn"), set(), []
    while True:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        found = test_battery.findings(program, path, options)
        edit = (found[0].get("option") or found[0]["try"]) if found else ""
        if verbose:
            print("   ", " ".join(options), [f["rule"] for f in found[:3]], edit, flush=True)
        if found and rules.count(found[0]["rule"]) >= SAME:
            return f"{found[0]['rule']} is still the first", len(rules)
        is_edit = found and (found[0].get("option") or re.match(r"line \d+: ", edit))
        if not is_edit or len(rules) == ROUNDS:
            gone = not found or found[0]["rule"] not in rules
            return None if gone else f"{found[0]['rule']} is still there", len(rules)
        if edit in had:
            return f"{edit} is proposed again", len(rules)
        had.add(edit)
        rules.append(found[0]["rule"])
        if found[0].get("option"):
            options = apply_option(options, edit)
        else:
            text = apply_lines(text, edit)


def runs_long(options):
    return any(re.fullmatch(r"depth=\d\d+", option) for option in options)


def main():
    program, verbose = sys.argv[1], "--verbose" in sys.argv
    wrong, edited, total = [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for _, expected, model, options in test_battery.cases():
            if expected == ["none"] or runs_long(options):
                continue
            if verbose:
                print(model, *options)
            complaint, count = check(program, model, options, folder, verbose)
            total += 1
            edited += count > 0
            if complaint:
                wrong.append(f"{model} {' '.join(options)}: {complaint}")
    print(f"{edited} of {total} sick networks were edited, {edited - len(wrong)} of them well")
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
