/* The language: states and updates, optimizers, what a train block minimises and how, and the two graphs. */
#include "language_fixture.h"

static const vg_row updates[] = {
    { "a state", "state n: [] = 0\nupdate n = n + 1", .steps = 4, .wants = { { "n", "3" } }, .variables = "n" },
    { "of several dimensions", "state s: [2] = 1\nupdate s = s * [2, 3]", .steps = 3, .wants = { { "s", "[2] 4 9" } } },
    { "a scalar fills the shape", "state s: [2] = 1\nupdate s = sum(s)", .steps = 2, .wants = { { "s", "[2] 2 2" } } },
    { "a var without an optimizer", "var w: [] = 1\nupdate w = w / 2", .steps = 3, .wants = { { "w", "0.25" } } },
    { "all from the values before, together", "state a: [] = 1\nstate b: [] = 2\nupdate a = b\nupdate b = a",
      .steps = 2, .wants = { { "a", "2" }, { "b", "1" } } },
    { "by another name", "state a: [] = 1\ns = a\nupdate s = s + 1", .steps = 2, .wants = { { "a", "2" } } },
    { "a member", "for i in 1..2 {\nstate s: [] = i\n}\nupdate s[2] = s[1] + s[2]", .steps = 3,
      .wants = { { "s[2]", "4" } } },
    { "this turn's in a loop", "for i in 1..2 {\nstate s: [] = i\nupdate s = s * 2\n}", .steps = 3,
      .wants = { { "s[1]", "4" }, { "s[2]", "8" } } },
    { "in a layer", "layer count(x) {\nstate n: [] = 0\nupdate n = n + x\nreturn n\n}\na = count(2)\nb = count(3)",
      .steps = 3, .wants = { { "a", "4" }, { "b", "6" } } },
    { "twice", "state a: [] = 1\nupdate a = 1\nupdate a = 2", .error = "updated-twice" },
    { "what is no variable", "a = ones([])\nupdate a = 1", .error = "update-target" },
    { "another shape", "state a: [2] = 1\nupdate a = ones([3])", .error = "update-shape" },
    { "in a def", "state a: [2] = 1\ndef f(x) {\nupdate a = x\nreturn x\n}\nb = f(1)", .error = "update-refused" },
    { "a state of whole numbers stays float", "state n: [] = 0\nupdate n = int(n) + 1", .steps = 2,
      .wants = { { "n", "1" } } },
    { "an initial value from variables above", "var A: [2] = 3\nvar B: [2] = A * 2\nvar C: [2, 2] = eye(2)\n"
      "state D: [2] = sum(B)", .wants = { { "B", "[2] 6 6" }, { "C", "[2, 2] 1 0 0 1" }, { "D", "[2] 12 12" } } },
    { "an initial value from data", "data p = xor(100)\ninput x: [batch, 2] = p.features\nvar A: [] = mean(x)",
      .error = "initial-depends" },
    { "an initial value keeps to the first values", "state a: [] = 1\nupdate a = a + 1\nstate b: [] = a",
      .steps = 3, .wants = { { "a", "3" }, { "b", "1" } } },
};

/* loss = sum((w - [1, 2])^2) / 2, so the gradient is w - [1, 2]. */
#define L "var w: [2] = 0\nloss = sum((w - [1, 2]) ^ 2) / 2\n"
#define LB L "var b: [] = 10\nboth = loss + b ^ 2 / 2\n"
static const vg_row optimizers[] = {
    { "by default", L "train loss { }", .steps = 2, .wants = { { "w", "[2] 0.01 0.02" } } },
    { "sgd", L "train loss { optimizer = sgd(0.5); steps = 5 }", .steps = 3,
      .wants = { { "w", "[2] 0.75 1.5" } }, .variables = "w [2]" },
    { "momentum", L "train loss { optimizer = sgd(rate = 0.1, momentum = 0.9) }", .steps = 4,
      .wants = { { "w", "[2] 0.514 1.028" }, { "train.w.m", "[2] -2.34 -4.68" } },
      .variables = "w [2]; train.w.m [2]" },
    { "nesterov", L "train loss { optimizer = sgd(0.1, 0.9, true) }", .steps = 3,
      .wants = { { "w", "[2] 0.4249 0.8498" } } },
    { "decay", L "train loss { optimizer = sgd(0.1, decay = 0.5) }", .steps = 3,
      .wants = { { "w", "[2] 0.185 0.37" } } },
    { "a rate by the step", L "train loss { optimizer = sgd(rate = 1 / (step + 2)) }", .steps = 3,
      .wants = { { "w", "[2] 0.666666666667 1.333333333333" } } },
    { "a rate by steps", L "train loss { optimizer = sgd(rate = 1 / steps)\nsteps = 4 }", .steps = 2,
      .wants = { { "w", "[2] 0.25 0.5" }, { "steps", "4" } } },
    { "written by the user", L "optimizer mine(rate, k = 2) for p, g {\nstate n: [] = 0\nstate a: shape(p) = 0\n"
      "update n = n + 1\nupdate a = a + abs(g)\nupdate p = p - rate * k * g\n}\n"
      "train loss { optimizer = mine(0.25) }", .steps = 3,
      .wants = { { "w", "[2] 0.75 1.5" }, { "train.w.n", "2" }, { "train.w.a", "[2] 1.5 3" } },
      .variables = "w [2]; train.w.n; train.w.a [2]" },
    { "pairs: the first that selects it", LB
      "train both { optimizer = [[vars(\"w\"), sgd(0.5)], [vars, sgd(0.1)]] }", .steps = 2,
      .wants = { { "w", "[2] 0.5 1" }, { "b", "9" } } },
    { "pairs with a variable and a list", LB "train both { optimizer = [[w, sgd(0.5)], [[b], sgd(0.1)]] }",
      .steps = 2, .wants = { { "w", "[2] 0.5 1" }, { "b", "9" } } },
    { "pairs that leave one out", LB "train both { optimizer = [[vars(\"w\"), sgd(0.5)]] }",
      .error = "no-optimizer-for" },
    { "params", LB "train both { params = vars(\"b\"); optimizer = sgd(0.1) }", .steps = 3,
      .wants = { { "w", "[2] 0 0" }, { "b", "8.1" } } },
    { "params, one variable", LB "train both { params = b; optimizer = sgd(0.1) }", .steps = 2,
      .wants = { { "b", "9" } } },
    { "params of what it depends on", LB "train loss { optimizer = sgd(0.1) }", .steps = 2,
      .wants = { { "b", "10" }, { "w", "[2] 0.1 0.2" } } },
    { "params that it does not depend on are left", LB "train loss { params = vars; optimizer = sgd(0.1) }",
      .steps = 2, .wants = { { "b", "10" }, { "w", "[2] 0.1 0.2" } } },
    { "not through stop_gradient", L "v = stop_gradient(w) * 2\ntrain sum(v) { }", .error = "nothing-to-train" },
    { "a state is not trained", "state s: [] = 1\ntrain s { }", .error = "nothing-to-train" },
    { "clip_value", LB "train both { optimizer = sgd(1); clip_value = 1.5 }", .steps = 2,
      .wants = { { "w", "[2] 1 1.5" }, { "b", "8.5" } } },
    { "clip_norm of all of the block together", "var w: [2] = [3, 0]\nvar b: [] = 4\n"
      "loss = sum(w ^ 2) / 2 + b ^ 2 / 2\ntrain loss { optimizer = sgd(1); clip_norm = 2.5 }", .steps = 2,
      .single = true, .wants = { { "w", "[2] 1.5 0" }, { "b", "2" } } },
    { "a small norm is left", L "train loss { optimizer = sgd(0.5); clip_norm = 100 }", .steps = 2,
      .wants = { { "w", "[2] 0.5 1" } } },
    { "by value first, then by norm", "var w: [2] = [30, 0]\nvar b: [] = 4\nloss = sum(w ^ 2) / 2 + b ^ 2 / 2\n"
      "train loss { optimizer = sgd(1); clip_norm = 2.5; clip_value = 4 }", .steps = 2, .single = true,
      .wants = { { "w", "[2] 28.2322330470336 0" }, { "b", "2.23223304703363" } } },
    { "an optimizer's state and an update of the variable", L "train loss { }\nupdate w = w + 1",
      .error = "updated-twice" },
    { "an update beside the optimizer", LB "train loss { optimizer = sgd(0.5) }\nupdate b = b + 1", .steps = 3,
      .wants = { { "b", "12" }, { "w", "[2] 0.75 1.5" } } },
    { "updates read the values before", L "state ema: [2] = 0\nupdate ema = w\ntrain loss { optimizer = sgd(0.5) }",
      .steps = 3, .wants = { { "ema", "[2] 0.5 1" }, { "w", "[2] 0.75 1.5" } } },
    { "train sees the whole file", "train loss { optimizer = mine(0.5) }\n"
      "optimizer mine(r) for p, g { update p = p - r * g }\n" L, .steps = 2, .wants = { { "w", "[2] 0.5 1" } } },
    { "paths of states in layers", "layer fc(x: [n, d]) {\nvar W: [d] = 1\nreturn sum(x * W)\n}\n"
      "h[1] = fc(ones([1, 2]))\ntrain h[1] { optimizer = sgd(0.1, momentum = 0.5) }",
      .variables = "h[1].W [2]; train.h[1].W.m [2]", .wants = { { "train.h[1].W.m", "[2] 0 0" } } },
    { "paths of states of a family", "for i in 1..2 {\nvar W: [i] = 1\n}\n"
      "train total(sum(W[*])) { optimizer = sgd(1, momentum = 0.5) }", .steps = 2,
      .variables = "W[1] [1]; W[2] [2]; train.W[1].m [1]; train.W[2].m [2]",
      .wants = { { "concat(train.**.m)", "[3] 1 1 1" }, { "len(vars)", "2" } } },
    { "an optimizer without its call", L "train loss { optimizer = sgd }", .error = "not-optimizer" },
    { "step in an optimizer", L "optimizer mine(r) for p, g {\nt = step + 1\nupdate p = p + r * t\n}\n"
      "train loss { optimizer = mine(1) }", .steps = 3, .wants = { { "w", "[2] 3 3" }, { "step", "int 2" } } },
};
#undef LB

static const vg_row blocks[] = {
    { "epochs", "data p = xor(count = 100, test = 0)\ninput x: [batch, 2] = p.features\nvar w: [] = 0\n"
      "loss = mean(x) * w\ntrain loss { batch = 30; epochs = 4 }",
      .wants = { { "steps", "12" }, { "batch", "30" } } },
    { "one epoch by default", "data p = xor(count = 100, test = 0)\ninput x: [batch, 2] = p.features\n"
      "var w: [] = 0\nloss = mean(x) * w\ntrain loss { }", .wants = { { "steps", "3" }, { "batch", "32" } } },
    { "without data 1000 steps", L "train loss { }", .wants = { { "steps", "1000" } } },
    { "steps known before the block", L "const n = steps\na = n / 2\ntrain loss { steps = 8 }",
      .wants = { { "a", "4" } } },
    { "steps from a const", "const n = 6\n" L "train loss { steps = 2 * n }", .wants = { { "steps", "12" } } },
    { "steps asked for above the data they follow from", "const n = steps\ndata p = xor(count = 100, test = 0)\n"
      "input x: [batch, 2] = p.features\nvar w: [] = 0\nloss = mean(x) * w\ntrain loss { }", .error = "steps-early"
      },
    { "steps asked for above the block in a choice", "const n = steps\nif true {\n" L "train loss { steps = 5 }\n}",
      .error = "steps-early" },
    { "steps in a function with names of its own", "const n = 6\ndef f(n) = n * steps\na = f(100)\n" L
      "train loss { steps = n }", .wants = { { "a", "600" } } },
    { "steps of themselves", L "train loss { steps = steps + 1 }", .error = "steps-of-itself" },
    { "fewer examples than a batch", "data p = xor(count = 10)\ninput x: [batch, 2] = p.features\nvar w: [] = 0\n"
      "loss = mean(x) * w\ntrain loss { }", .error = "too-few-examples" },
    { "a setting it does not have", L "train loss { rate = 1 }", .error = "unknown-setting" },
    { "a setting twice", L "train loss { steps = 1; steps = 2 }", .error = "bound-twice" },
    { "steps and epochs", L "train loss { steps = 1; epochs = 2 }", .error = "steps-and-epochs" },
    { "a loss of more than one number", "var w: [2] = 0\ntrain w { }", .error = "loss-not-scalar" },
    { "an expression as the loss", L "train loss * 2 + sum(w) { optimizer = sgd(0.25) }", .steps = 2,
      .wants = { { "w", "[2] 0.25 0.75" } } },
    { "every in the first block", L "train loss { every = 2 }", .error = "first-every" },
};
#undef L

#define AB "var a: [] = 1\nvar b: [] = 1\n"
static const vg_row turns[] = {
    { "a turn sees what those before it made", AB "train a * b { params = a; optimizer = sgd(0.5); steps = 9 }\n"
      "train a * b { params = b; optimizer = sgd(0.5) }",      /* a = 1 - 0.5 * 1, then b = 1 - 0.5 * 0.5 */
      .steps = 2, .wants = { { "a", "0.5" }, { "b", "0.75" } } },
    { "every, and a block's own step", AB "train a { optimizer = sgd(1); steps = 9 }\n"
      "train b { optimizer = sgd(rate = step + 1); every = 3 }",      /* b: - 1 at step 0, - 2 at 3, - 3 at 6 */
      .steps = 8, .wants = { { "a", "-6" }, { "b", "-5" }, { "step", "int 7" } } },
    { "a block's states have its number", AB "train a { optimizer = sgd(1, momentum = 0.5); params = a }\n"
      "train 2 * b + a { optimizer = sgd(0.25, momentum = 0.5) }", .steps = 2,
      .variables = "a; b; train.a.m; train[2].a.m; train[2].b.m",
      .wants = { { "train.a.m", "1" }, { "train[2].b.m", "2" }, { "train[2].a.m", "1" },
                 { "stack(train[2].*.m)", "[2] 1 2" }, { "stack(train.*.m)", "[1] 1" } } },
    { "a block's batch is the first's by default, and each its own", "data p = xor(count = 100, test = 0)\n"
      "input x: [batch, 2] = p.features\n" AB "n = size(x) / 2\n"
      "train a * n { optimizer = sgd(1); batch = 10; steps = 5; params = a }\n"
      "train b * n { optimizer = sgd(1) }\ntrain b * n { optimizer = sgd(1); batch = 30 }", .steps = 2,
      .wants = { { "a", "-9" }, { "b", "-39" } } },
    { "the turns draw their own numbers", AB "x = sample(uniform(0, 1), [])\n"
      "train a * x { optimizer = sgd(1); params = a; steps = 3 }\ntrain b * x { optimizer = sgd(1); params = b }",
      .steps = 2, .wants = { { "a == b", "int 0" } } },
    { "updates take place in the first turn", AB "state n: [] = 0\nupdate n = n + 1\n"
      "train a + n { optimizer = sgd(1); steps = 9 }\ntrain b + n { optimizer = sgd(1) }", .steps = 4,
      .wants = { { "n", "3" } } },
    { "the run's settings stand in any block", AB "const n = steps\ntrain a { optimizer = sgd(1) }\n"
      "train b { steps = 7; seed = 3 }", .wants = { { "n", "7" } } },
    { "a run's setting in two blocks", AB "train a { steps = 2 }\ntrain b { steps = 2 }", .error = "run-setting-again" },
    { "steps and epochs in two blocks", AB "train a { steps = 2 }\ntrain b { epochs = 2 }", .error = "steps-and-epochs" },
    { "--set of the only block that has it", AB "train a { optimizer = sgd(1); params = a; steps = 9 }\ntrain b { }",
      .set = { "train.optimizer=sgd(3)" }, .steps = 2, .wants = { { "a", "-2" }, { "b", "0.99" } } },
    { "--set of a block by its number", AB "train a { optimizer = sgd(1); steps = 9 }\ntrain b { optimizer = sgd(1) }",
      .set = { "train[2].optimizer=sgd(3)" }, .steps = 2, .wants = { { "a", "0" }, { "b", "-2" } } },
    { "--set of the only block that may have it", AB "train a { optimizer = sgd(1); steps = 9 }\n"
      "train b { optimizer = sgd(1) }", .set = { "train.every=2" }, .steps = 3, .wants = { { "a", "-1" }, { "b", "0" } } },
    { "--set of a run's setting, by any number", AB "train a { }\ntrain b { steps = 3 }", .set = { "train[1].steps=4" },
      .wants = { { "steps", "4" } } },
    { "--set that could mean both", AB "train a { }\ntrain b { steps = 3 }", .set = { "train.batch=4" },
      .error = "setting-block" },
    { "--set of a block that is not there", AB "train a { }\ntrain b { }", .set = { "train[3].batch=4" },
      .error = "block-missing" },
};
#undef AB

#define DROP "x = ones([50])\nd = dropout(x, 0.5)\n"
static const vg_row modes[] = {
    { "training", "a = if training then 1 else 2\nif training { b = 10 } else { b = 20 }",
      .wants = { { "a", "1" }, { "b", "10" } } },
    { "evaluation", "a = if training then 1 else 2\nif training { b = 10 } else { b = 20 }",
      .wants = { { "a", "2" }, { "b", "20" } }, .evaluation = true },
    { "dropout while training", DROP, .wants = { { "max(d)", "2" }, { "min(d)", "0" } } },
    { "dropout in evaluation", DROP, .wants = { { "max(d)", "1" }, { "min(d)", "1" } }, .evaluation = true },
    { "dropout of nothing, and of all", "x = ones([5])\na = dropout(x, 0)\nb = dropout(x, 1)",
      .wants = { { "a", "[5] 1 1 1 1 1" }, { "b", "[5] 0 0 0 0 0" } } },
    { "updates belong to training", "state n: [] = 0\nupdate n = n + 1", .steps = 3, .wants = { { "n", "0" } },
      .evaluation = true },
    { "running statistics", "layer norm1(x) {\nstate m: [] = 0\nif training {\nmu = mean(x)\n"
      "update m = 0.5 * m + 0.5 * mu\n} else {\nmu = m\n}\nreturn x - mu\n}\nx = ones([2]) * [1, 3]\ny = norm1(x)",
      .wants = { { "y", "[2] -1 1" } }, .variables = "y.m" },
    { "a variable in one of the two only", "if training { var w: [] = 1 } else { w = 1 }",
      .error = "variables-differ" },
    { "a variable that evaluation makes", "if training { w = ones([]) } else { var w: [] = 1 }",
      .error = "variables-differ" },
    { "a variable of another shape", "var w: [if training then 2 else 3] = 1", .error = "variables-differ" },
};
#undef DROP

static void test_updates(void **state) { (void)state; CHECK_ROWS(updates); }
static void test_optimizers(void **state) { (void)state; CHECK_ROWS(optimizers); }
static void test_blocks(void **state) { (void)state; CHECK_ROWS(blocks); }
static void test_turns(void **state) { (void)state; CHECK_ROWS(turns); }
static void test_modes(void **state) { (void)state; CHECK_ROWS(modes); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_updates), cmocka_unit_test(test_optimizers), cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_turns),   cmocka_unit_test(test_modes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
