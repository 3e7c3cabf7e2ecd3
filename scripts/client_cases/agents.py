"""stable_baselines' agents: learn for 20,000 steps, are saved, and loaded again.

python agents.py FOLDER KEPT OUT [write]
"""

import sys
import time

import gym
import numpy as np
import stable_baselines
from stable_baselines.common.evaluation import evaluate_policy

STEPS = 20000
AGENTS = {
    "PPO2": ("CartPole-v1", {}),
    "A2C": ("CartPole-v1", {"learning_rate": 3e-3}),
    "DQN": ("CartPole-v1", {"learning_rate": 1e-3}),
    "DDPG": ("Pendulum-v0", {"nb_rollout_steps": 10, "nb_train_steps": 10, "actor_lr": 1e-3}),
}
kept, out = sys.argv[2:4]


def reward(model, environment):
    """The mean reward of ten episodes."""
    world = gym.make(environment)
    world.seed(5)
    return evaluate_policy(model, world, n_eval_episodes=10)[0]


found = {}
for name, (environment, settings) in AGENTS.items():
    if not hasattr(stable_baselines, name):
        continue  # DDPG without mpi4py
    settings = dict(settings)
    if name == "DDPG":
        from stable_baselines.ddpg import NormalActionNoise

        settings["action_noise"] = NormalActionNoise(np.zeros(1), 0.3 * np.ones(1))
    agent = getattr(stable_baselines, name)
    model = agent("MlpPolicy", environment, seed=1, **settings)
    start = time.perf_counter()
    model.learn(STEPS)
    found[f"{name}/rate"] = STEPS / (time.perf_counter() - start)
    found[f"{name}/reward"] = reward(model, environment)
    model.save(f"{kept}.{name}")
    assert np.isclose(reward(agent.load(f"{kept}.{name}"), environment), found[f"{name}/reward"])
np.savez(out, **found)
