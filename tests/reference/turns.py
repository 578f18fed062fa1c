"""Several train blocks: two networks against each other in turns, as WGAN-GP trains them, on fixed numbers."""
import torch

from suite import GIVEN, Suite, draw, pattern, text_of

STEPS = 20


class Players:
    """A generator and a critic of two layers; the critic's loss has the length of its gradient in it."""

    def __init__(self):
        self.z, self.real, self.mix = (draw([6, size], k).detach() for k, size in enumerate((3, 2, 1), 1))
        shapes = {"G.a.W": [3, 4], "G.a.b": [4], "G.c.W": [4, 2], "G.c.b": [2],
                  "D.a.W": [2, 4], "D.a.b": [4], "D.c.W": [4, 1], "D.c.b": [1]}
        self.leaves = {path: pattern(shape, k) for k, (path, shape) in enumerate(shapes.items())}

    def net(self, name, x):
        w = self.leaves
        return torch.tanh(x @ w[f"{name}.a.W"] + w[f"{name}.a.b"]) @ w[f"{name}.c.W"] + w[f"{name}.c.b"]

    def critic_loss(self):
        fake = self.net("G", self.z)
        mixed = self.mix * self.real + (1 - self.mix) * fake
        slope = torch.autograd.grad(self.net("D", mixed).sum(), mixed, create_graph=True)[0]
        gap = torch.linalg.vector_norm(slope, dim=1)
        return self.net("D", fake).mean() - self.net("D", self.real).mean() + 10 * ((gap - 1) ** 2).mean()

    def generator_loss(self):
        return -self.net("D", self.net("G", self.z)).mean()

    def part(self, name):
        return {path: leaf for path, leaf in self.leaves.items() if path.startswith(name)}

    def text(self, first, second):
        return GIVEN + f"""layer line(x: [n, d], units, k) {{
    var W: [d, units] ~ given(k)
    var b: [units]    ~ given(k + 1)
    return x @ W + b
}}
layer net(x: [n, d], units, k) {{
    a = tanh(line(x, 4, k))
    c = line(a, units, k + 2)
    return c
}}
z    = float({text_of(self.z.tolist())})
real = float({text_of(self.real.tolist())})
u    = float({text_of(self.mix.tolist())})
G    = net(z, 2, 0)
D    = net(real, 1, 4)
fake = net(G, 1, 4, weights = D)
mix  = u * real + (1 - u) * G
Dmix = net(mix, 1, 4, weights = D)
gap  = norm(grad(sum(Dmix), mix), axis = 1)
d_loss = mean(fake) - mean(D) + 10 * mean((gap - 1) ^ 2)
g_loss = -mean(fake)
train d_loss {{
    params = vars("D.**")
    steps  = {STEPS}
    {first}
}}
train g_loss {{
    params = vars("G.**")
    {second}
}}
"""


def play(suite, name, first, second, every, critic, generator):
    players = Players()
    d_step = critic(players.part("D").values())
    g_step = generator(players.part("G").values())
    losses = []
    for step in range(STEPS):
        for turn, (optimizer, part, loss) in enumerate(((d_step, "D", players.critic_loss),
                                                       (g_step, "G", players.generator_loss))):
            if turn and step % every:
                continue
            value = loss()
            if not turn:
                losses.append(value.detach())
            for leaf, slope in zip(players.part(part).values(),
                                   torch.autograd.grad(value, players.part(part).values())):
                leaf.grad = slope
            optimizer.step()
    suite.add(name, players.text(first, second), {"d_loss": losses}, players.leaves, steps=STEPS)


def suites():
    suite = Suite("turns")
    play(suite, "sgd in turns", "optimizer = sgd(0.01)", "optimizer = sgd(0.02, momentum = 0.5)", 1,
         lambda leaves: torch.optim.SGD(leaves, lr=0.01), lambda leaves: torch.optim.SGD(leaves, lr=0.02, momentum=0.5))
    play(suite, "adam, the second every third step", "optimizer = adam(0.01, beta1 = 0, beta2 = 0.9)",
         "optimizer = adam(0.02, beta1 = 0.5)\n    every = 3", 3,
         lambda leaves: torch.optim.Adam(leaves, lr=0.01, betas=(0, 0.9)),
         lambda leaves: torch.optim.Adam(leaves, lr=0.02, betas=(0.5, 0.999)))
    return [suite]
