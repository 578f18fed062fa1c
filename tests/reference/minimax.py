"""How the coefficients of src/ir/function.h were made. Prints each polynomial, lowest power first, with the maximum of
its weighted error before and after rounding, as powers of two. Needs mpmath; neither the build nor a test runs it.

Remez's exchange: of all polynomials of a degree, the one whose weighted error reaches its maximum with alternating
signs degree + 2 times has the smallest. Then each coefficient is rounded to float, and single ones and pairs are moved
by a few units in the last place while that lessens the maximum."""
from mpmath import mp, mpf, matrix, lu_solve, cos, erf, erfc, expm1, frexp, ldexp, log, log1p, nint, pi, sqrt, tanh

mp.dps = 40


def nodes(low, high, count):
    return [low + (high - low) * (1 - cos(pi * (i + mpf(1) / 2) / count)) / 2 for i in range(count)]


def value(c, x):
    return sum(a * x ** k for k, a in enumerate(c))


def exchange(f, weight, low, high, degree):
    """The minimax coefficients and their error. A weight of 0 (at 0, where an error does not matter) is allowed."""
    n = degree + 1
    at = nodes(low, high, n + 1)
    grid = [(x, f(x), weight(x)) for x in nodes(low, high, 1500)]
    for _ in range(30):
        a, b = matrix(n + 1, n + 1), matrix(n + 1, 1)
        for i, x in enumerate(at):
            for j in range(n):
                a[i, j] = x ** j
            a[i, n] = (-1) ** i / max(weight(x), mpf(10) ** -12)
            b[i] = f(x)
        solved = lu_solve(a, b)
        c = [solved[j] for j in range(n)]
        peaks = []
        for x, y, w in grid:
            error = w * (value(c, x) - y)
            if not peaks or (error > 0) != (peaks[-1][0] > 0):
                peaks.append((error, x))
            elif abs(error) > abs(peaks[-1][0]):
                peaks[-1] = (error, x)
        while len(peaks) > n + 1:
            peaks.pop(0 if abs(peaks[0][0]) < abs(peaks[-1][0]) else -1)
        worst = max(abs(error) for error, _ in peaks)
        if len(peaks) < n + 1 or worst < abs(solved[n]) * (1 + mpf(10) ** -4):
            break
        at = [x for _, x in peaks]
    return c, worst


def rounded(c, f, weight, low, high):
    """The floats near c, and their error."""
    ulp = [float(mpf(2) ** (frexp(a)[1] - 24)) for a in c]
    c = [float(ldexp(nint(ldexp(frexp(a)[0], 24)), frexp(a)[1] - 24)) for a in c]
    rows = [([float(weight(x) * x ** k) for k in range(len(c))], float(weight(x) * f(x)))
            for x in nodes(low, high, 1201)]

    def worst(c, enough):
        most = 0.0
        for row, y in rows:
            most = max(most, abs(sum(a * b for a, b in zip(row, c)) - y))
            if most >= enough:
                break
        return most

    best, moved = worst(c, 1.0), True
    while moved:
        moved = False
        for i in range(len(c)):
            for j in range(i, len(c)):
                for di in (-2, -1, 1, 2):
                    for dj in ((0,) if i == j else (-3, -2, -1, 1, 2, 3)):
                        t = list(c)
                        t[i] += di * ulp[i]
                        t[j] += dj * ulp[j]
                        error = worst(t, best)
                        if error < best * (1 - 1e-6):
                            c, best, moved = t, error, True
    return c, best


def show(name, f, weight, low, high, degree):
    c, error = exchange(f, weight, mpf(low), mpf(high), degree)
    c, left = rounded(c, f, weight, mpf(low), mpf(high))
    print('%s: 2^%.1f, rounded 2^%.1f' % (name, log(error, 2), log(mpf(left), 2)))
    for a in c:
        print('   ', a.hex())


half = log(mpf(2)) / 2 * mpf('1.0001')
show('(e^r - 1 - r) / r^2, relative to e^r - 1',
     lambda r: (expm1(r) - r) / r ** 2 if abs(r) > mpf(10) ** -12 else mpf(1) / 2 + r / 6,
     lambda r: abs(r ** 2 / expm1(r)) if r else mpf(0), -half, half, 4)
show('(log(1 + f) - f + f^2 / 2) / f^3, relative to log(1 + f)',
     lambda f: (log1p(f) - f + f * f / 2) / f ** 3 if abs(f) > mpf(10) ** -9 else mpf(1) / 3 - f / 4,
     lambda f: abs(f ** 3 / log1p(f)) if f else mpf(0), mpf('.7071') - 1, mpf('1.41422') - 1, 7)
show('(tanh(a) / a - 1) / a^2 in a^2, relative to tanh(a)',
     lambda y: (tanh(sqrt(y)) / sqrt(y) - 1) / y if y > mpf(10) ** -15 else -mpf(1) / 3 + 2 * y / 15,
     lambda y: sqrt(y) ** 3 / tanh(sqrt(y)) if y else mpf(0), 0, mpf('.65') ** 2, 4)
show('erf(a) / a - 1 in a^2, relative to erf(a)',
     lambda y: erf(sqrt(y)) / sqrt(y) - 1 if y > mpf(10) ** -20 else 2 / sqrt(pi) * (1 - y / 3) - 1,
     lambda y: sqrt(y) / erf(sqrt(y)) if y else mpf(1), 0, 1, 6)
show('log(1 - erf(a)), weighted by what it does to erf(a)',
     lambda t: log(erfc(t)), lambda t: erfc(t) / erf(t), 1, 4, 6)
