"""stable_baselines' agents: learn for 20,000 steps, are saved, and loaded again.

python agents.py FOLDER KEPT OUT [write]
"""

import sys

import gym
import numpy as np
import stable_baselines
from stable_baselines.common.evaluation import evaluate_policy
from timing import rate

STEPS, TIMED = 20000, 1000
# With the defaults, whether DDPG learns in so few steps depends on the weights that it starts with.
SWING = {"nb_rollout_steps": 10, "nb_train_steps": 10, "actor_lr": 3e-4, "batch_size": 64}
SWING.update(gamma=0.95, tau=0.01, policy="LnMlpPolicy", normalize_observations=True)
# What an agent learns, by which settings, and the reward of one that has learned.
AGENTS = {
    "PPO2": ("CartPole-v1", {}, 100.0),
    "A2C": ("CartPole-v1", {"learning_rate": 1e-3}, 100.0),
    "DQN": ("CartPole-v1", {"learning_rate": 1e-3}, 100.0),
    "DDPG": ("Pendulum-v0", SWING, -500.0),
}
kept, out = sys.argv[2:4]


def reward(model, environment):
    """The mean reward of ten episodes."""
    world = gym.make(environment)
    world.seed(5)
    return evaluate_policy(model, world, n_eval_episodes=10)[0]


found = {}
for name, (environment, settings, learned) in AGENTS.items():
    settings = {"policy": "MlpPolicy", "seed": 1, **settings}
    if name == "DDPG":
        from stable_baselines.ddpg import NormalActionNoise

        settings["action_noise"] = NormalActionNoise(np.zeros(1), 0.3 * np.ones(1))
    agent = getattr(stable_baselines, name)
    model = agent(settings.pop("policy"), environment, **settings)
    model.learn(STEPS)
    found[f"{name}/reward"] = reward(model, environment)
    # Under TensorFlow one seed gives other weights.
    if "hybridflow" in sys.modules and not found[f"{name}/reward"] > learned:
        raise SystemExit(f"{name} has not learned: {found[f'{name}/reward']}")
    model.save(f"{kept}.{name}")
    assert np.isclose(reward(agent.load(f"{kept}.{name}"), environment), found[f"{name}/reward"])
    found[f"{name}/rate"] = TIMED * rate(lambda: model.learn(TIMED), count=1, rounds=5, patience=0)  # noqa: B023
np.savez(out, **found)
