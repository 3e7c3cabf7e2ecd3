"""A policy gradient: a pole learns to stand on a cart.

REINFORCE (Williams 1992): actions of episodes that lasted longer than others become more likely.
The cart and pole are simulated here, after Barto, Sutton, Anderson (1983).

    python policy_gradient.py [--mode eager|graph] [--steps N]
"""

from __future__ import annotations

from typing import Any

import numpy as np
import two_modes

import hybridflow as hf

EPISODES = 8
LONGEST = 200
DISCOUNT = 0.98


class CartPole:
    """A cart on rails with a pole on it; each action pushes it left or right."""

    GRAVITY, FORCE, TIME = 9.8, 10.0, 0.02
    CART, POLE, HALF_LENGTH = 1.0, 0.1, 0.5

    def __init__(self, rng: Any) -> None:
        self.state = rng.uniform(-0.05, 0.05, 4)

    def push(self, action: int) -> bool:
        """Moves on by one tick; tells whether the pole still stands."""
        _, speed, angle, turning = self.state
        force = self.FORCE if action else -self.FORCE
        total = self.CART + self.POLE
        sine, cosine = np.sin(angle), np.cos(angle)
        pull = (force + self.POLE * self.HALF_LENGTH * turning**2 * sine) / total
        bending = (self.GRAVITY * sine - cosine * pull) / (
            self.HALF_LENGTH * (4.0 / 3.0 - self.POLE * cosine**2 / total)
        )
        acceleration = pull - self.POLE * self.HALF_LENGTH * bending * cosine / total
        change = np.array([speed, acceleration, turning, bending])
        self.state = self.state + self.TIME * change
        return abs(self.state[0]) < 2.4 and abs(self.state[2]) < np.radians(12.0)


def logits_of(states: Any) -> Any:
    """How much the policy favours pushing left and right."""
    with hf.variable_scope("policy", reuse=hf.AUTO_REUSE):
        first = hf.get_variable("first", [4, 32])
        second = hf.get_variable("second", [32, 2], initializer=hf.zeros_initializer())
    return hf.matmul(hf.tanh(hf.matmul(states, first)), second)


def loss_of(states: Any, actions: Any, advantages: Any) -> Any:
    """Its gradient is the policy's: unlikely actions that did well weigh most."""
    surprise = hf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=actions, logits=logits_of(states)
    )
    return hf.reduce_mean(surprise * advantages)


def play(policy: Any, rng: Any) -> tuple[list[Any], list[Any], np.ndarray]:
    """One episode: states, actions, and what could still be gained at each of them."""
    world, states, actions = CartPole(rng), [], []
    stands = True
    while stands and len(states) < LONGEST:
        state = world.state.astype(np.float32)
        left, right = policy(state[None])[0]
        action = int(rng.rand() < 1.0 / (1.0 + np.exp(left - right)))
        states.append(state)
        actions.append(action)
        stands = world.push(action)
    gains = np.zeros(len(states), np.float32)
    for i in reversed(range(len(states))):
        gains[i] = 1.0 + (DISCOUNT * gains[i + 1] if i + 1 < len(states) else 0.0)
    return states, actions, gains


def main(argv: list[str] | None = None) -> None:
    options = two_modes.parse(argv, __doc__, steps=60)
    rng = np.random.RandomState(0)
    with two_modes.open_mode(options.mode) as run:
        step = run.trainer(loss_of, hf.train.AdamOptimizer(0.02))
        policy = run.function(logits_of)
        for i in range(options.steps):
            episodes = [play(policy, rng) for _ in range(EPISODES)]
            parts = zip(*episodes, strict=True)
            states, actions, gains = (np.concatenate(part) for part in parts)
            step(states, actions, (gains - gains.mean()) / (gains.std() + 1e-6))
            if two_modes.is_shown(i, options.steps):
                print(f"step {i:4d}  the pole stood for {len(states) / EPISODES:5.1f} ticks")
        lengths = [len(play(policy, rng)[0]) for _ in range(20)]
    print(f"at the end it stands for {np.mean(lengths):.1f} of {LONGEST} ticks")


if __name__ == "__main__":
    main()
