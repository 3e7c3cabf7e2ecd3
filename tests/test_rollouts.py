"""Rollouts: a policy acts in an environment inside a loop, and learns from what it got."""

import numpy as np

import hybridflow as hf
from tests import native
from tests.execution import Execution, gradient_of
from tests.plan.sessions import plan_of

TURNS, BATCH, STEP, DEVIATION = 12, 4, 0.1, 0.3
_RNG = np.random.default_rng(5)
START = _RNG.uniform(-2.5, 2.5, (BATCH, 2))
NOISE = _RNG.normal(size=(TURNS, BATCH))
WEIGHTS = _RNG.normal(size=(3, 5)) * 0.5
LAST = _RNG.normal(size=(5, 1)) * 0.5


# -- a pendulum, for NumPy and for programs --------------------------------------------------------


def moved(ops, states, torque):
    """States `[batch, 2]`, angles and speeds, after a time; and the rewards `[batch]` for it."""
    angle, speed = states[:, 0], states[:, 1]
    upright = ops.mod(angle + np.pi, 2 * np.pi) - np.pi
    reward = -(upright * upright + 0.1 * speed * speed + 0.001 * torque * torque)
    speed = ops.clip(speed + STEP * (15.0 * ops.sin(angle) + 3.0 * torque), -8.0, 8.0)
    return ops.stack([angle + STEP * speed, speed], 1), reward


def policy(ops, weights, last, states):
    angle, speed = states[:, 0], states[:, 1]
    seen = ops.stack([ops.cos(angle), ops.sin(angle), speed], 1)
    return 2.0 * ops.tanh(ops.matmul(ops.tanh(ops.matmul(seen, weights)), last))[:, 0]


class Names:
    """NumPy's names in programs."""

    mod, clip, stack, sin, cos = hf.mod, hf.clip_by_value, hf.stack, hf.sin, hf.cos
    tanh, matmul = hf.tanh, hf.matmul


def played(weights, last, states):
    """What a policy without noise gets in all turns, by NumPy."""
    found = 0.0
    for _ in range(TURNS):
        states, reward = moved(np, states, policy(np, weights, last, states))
        found += reward.sum()
    return found


def recorded(weights, last, states):
    """Turns of a policy with noise, until a pendulum leaves a range: states, actions, rewards."""
    turns = []
    for noise in NOISE:
        action = policy(np, weights, last, states) + DEVIATION * noise
        after, reward = moved(np, states, action)
        turns.append((states, action, reward))
        states = after
        if np.abs(states[:, 0]).max() > 4.0:
            break
    return [np.stack(item) for item in zip(*turns, strict=True)]


def surprise(weights, last, states, actions, rewards):
    """The loss of REINFORCE, of what was recorded."""
    returns = np.cumsum(rewards[::-1], 0)[::-1]
    mean = policy(np, weights, last, states.reshape(-1, 2)).reshape(actions.shape)
    likely = -((actions - mean) ** 2) / (2 * DEVIATION**2)
    return -np.sum(likely * (returns - returns.mean())) / BATCH


def slopes(function, *arrays):
    """The derivatives of a function of arrays, by differences."""
    found = []
    for array in arrays:
        slope = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved_array = array.copy()
                moved_array[place] += step
                ends.append(function(*[moved_array if a is array else a for a in arrays]))
            slope[place] = (ends[0] - ends[1]) / 2e-6
        found.append(slope)
    return found


# -- programs --------------------------------------------------------------------------------------


def test_a_return_has_derivatives_through_the_dynamics(execution: Execution):
    def function(weights, last):
        def body(t, states, total):
            states, reward = moved(Names, states, policy(Names, weights, last, states))
            return t + 1, states, total + hf.reduce_sum(reward)

        zero = hf.constant(0.0, hf.float64)
        return hf.while_loop(lambda t, *_: t < TURNS, body, [0, hf.constant(START), zero])[2]

    np.testing.assert_allclose(
        execution(function, WEIGHTS, LAST), played(WEIGHTS, LAST, START), rtol=1e-10
    )
    wanted = slopes(lambda w, v: played(w, v, START), WEIGHTS, LAST)
    for got, want in zip(execution.gradient(function, WEIGHTS, LAST), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-4)


def rollout(weights, last):
    """States, actions and rewards of the turns, which the dynamics end."""
    noise = hf.constant(NOISE)

    def body(t, states, done, *arrays):
        action = policy(Names, weights, last, states) + DEVIATION * noise[t]
        after, reward = moved(Names, states, action)
        done = hf.reduce_max(hf.abs(after[:, 0])) > 4.0
        new = (states, action, reward)
        return t + 1, after, done, *[a.write(t, x) for a, x in zip(arrays, new, strict=True)]

    arrays = [hf.TensorArray(hf.float64, 0, dynamic_size=True) for _ in range(3)]
    first = [0, hf.constant(START), hf.constant(False), *arrays]
    goes_on = lambda t, _, done, *__: hf.logical_and(t < TURNS, hf.logical_not(done))  # noqa: E731
    _, _, _, *arrays = hf.while_loop(goes_on, body, first)
    return [a.stack() for a in arrays]


def rollout_of_python(weights, last):
    """The same, of an environment in Python."""
    noise = hf.constant(NOISE)

    def step(states, action):
        after, reward = moved(np, states, action)
        return after, reward, np.abs(after[:, 0]).max() > 4.0

    def body(t, states, done, *arrays):
        action = policy(Names, weights, last, states) + DEVIATION * noise[t]
        types = [hf.float64, hf.float64, hf.bool]
        after, reward, done = hf.py_func(step, [states, action], types)
        new = (states, action, hf.reshape(reward, [BATCH]))
        arrays = [a.write(t, x) for a, x in zip(arrays, new, strict=True)]
        return t + 1, hf.reshape(after, [BATCH, 2]), hf.reshape(done, []), *arrays

    arrays = [hf.TensorArray(hf.float64, 0, dynamic_size=True) for _ in range(3)]
    first = [0, hf.constant(START), hf.constant(False), *arrays]
    goes_on = lambda t, _, done, *__: hf.logical_and(t < TURNS, hf.logical_not(done))  # noqa: E731
    _, _, _, *arrays = hf.while_loop(goes_on, body, first)
    return [a.stack() for a in arrays]


def check_policy_gradient(execution: Execution, roll):
    def loss(weights, last):
        states, actions, rewards = map(hf.stop_gradient, roll(weights, last))
        returns = hf.cumsum(rewards, reverse=True)
        mean = policy(Names, weights, last, hf.reshape(states, [-1, 2]))
        off = actions - hf.reshape(mean, hf.shape(actions))
        likely = -(off * off) / (2 * DEVIATION**2)
        return -hf.reduce_sum(likely * (returns - hf.reduce_mean(returns))) / BATCH

    turns = recorded(WEIGHTS, LAST, START)
    assert 1 < len(turns[0]) < TURNS
    wanted = surprise(WEIGHTS, LAST, *turns)
    np.testing.assert_allclose(execution(loss, WEIGHTS, LAST), wanted, rtol=1e-9)
    found = execution.gradient(loss, WEIGHTS, LAST)
    slope = slopes(lambda w, v: surprise(w, v, *turns), WEIGHTS, LAST)
    for got, want in zip(found, slope, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-4)


def test_a_policy_gradient_of_dynamics_in_the_graph(execution: Execution):
    check_policy_gradient(execution, rollout)


def test_a_policy_gradient_of_an_environment_in_python(execution: Execution):
    check_policy_gradient(execution, rollout_of_python)


def test_rollouts_in_the_graph_run_natively():
    with hf.Graph().as_default(), hf.Session() as session:
        weights, last = hf.placeholder(hf.float64, [3, 5]), hf.placeholder(hf.float64, [5, 1])
        fetches = rollout(weights, last)
        fetches += gradient_of(lambda *w: hf.reduce_sum(rollout(*w)[2]), [weights, last])
        found = []
        for _ in range(4):
            found.append(session.run(fetches, {weights: WEIGHTS, last: LAST}))
            native.wait()
        assert native.fallbacks(plan_of(session, fetches)) == []
    for values in found:
        for got, want in zip(values[:3], recorded(WEIGHTS, LAST, START), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)
        for got, want in zip(values[3:], found[0][3:], strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-9)
