#!/usr/bin/env python3
"""The documents tell the truth: each block marked `nn` in them is a whole model, which checks and runs, and whose
`expect` statements hold."""
import os
import re
import subprocess
import sys
import tempfile

DOCUMENTS = ["README.md", "grammar/LANGUAGE.md"]
program = os.path.abspath(sys.argv[1])


def blocks(path):
    """(line, text) of each fenced block of models."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for found in re.finditer(r"^```nn\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield text.count("\n", 0, found.start()) + 1, found.group(1)


def vgraph(folder, *arguments):
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def try_model(folder, where, text):
    """What is wrong with it, or None."""
    path = os.path.join(folder, "model.nn")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    for command in (["check", path], ["run", path, "--no-files", "--quiet"]):
        status, said = vgraph(folder, *command)
        if status or said and command[0] == "check":
            return f"{where}: vgraph {command[0]} ends with {status}\n{said}"
    return None


def main():
    wrong = []
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        for document in DOCUMENTS:
            for line, text in blocks(document) if os.path.exists(document) else []:
                count += 1
                wrong.append(try_model(folder, f"{document}:{line}", text))
    wrong = [what for what in wrong if what]
    print("\n".join(wrong) or f"{count} models hold")
    sys.exit(1 if wrong or count < 5 else 0)


if __name__ == "__main__":
    main()
