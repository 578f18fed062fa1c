"""models.txt: the options that make the models of the gallery small."""
import os

STEPS, GRADIENTS = 1, 2      # its columns


def options(column):
    """{model: its options}."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models.txt")
    rows = [line.split("|") for line in open(path) if line.strip() and not line.startswith("#")]
    return {row[0].strip(): row[column].split() for row in rows}
