"""Makes the numbers that tests/test_reference.c compares vgraph with: PyTorch's, in float64.

    apt-get install -y python3-torch        # Debian 12: PyTorch 1.13.0, Python 3.11
    python3 tests/reference/make.py         # writes tests/reference/*.json

Every case is a model text and what PyTorch says of its expressions: values, gradients, gradients of gradients, and
variables after training. Inputs are fractions that float32 holds exactly, so one set of numbers serves both precisions.
The tests need only the JSON files; PyTorch is needed to make them anew, when a case is added.
"""
import pathlib

import arrange
import chance
import corners
import edges
import elementwise
import large
import layers
import network
import norms
import optimizers
import recurrent
import reduce
import train
import turns
import window


def main():
    folder = pathlib.Path(__file__).parent
    for module in (elementwise, reduce, arrange, network, train, corners, large, window, layers, norms, recurrent,
                   optimizers, edges, chance, turns):
        for suite in module.suites():
            suite.write(folder)


if __name__ == "__main__":
    main()
