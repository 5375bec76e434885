#include "prune/knapsack.h"

#include <algorithm>
#include <limits>

#include "core/error.h"

namespace xgen::prune {

namespace {

// A combination of the choices of the groups so far.
struct State {
  double cost, harm;
  int before;  ///< among the states of one group less.
  int choice;
};

// What no other state beats, from the least cost on.
std::vector<State> undominated(std::vector<State> states) {
  std::stable_sort(states.begin(), states.end(), [](const State& a, const State& b) {
    return a.cost != b.cost ? a.cost < b.cost : a.harm < b.harm;
  });
  std::vector<State> kept;
  double least = std::numeric_limits<double>::infinity();
  for (const State& state : states) {
    if (!(state.harm < least)) continue;
    least = state.harm;
    kept.push_back(state);
  }
  return kept;
}

// For every state that goes, one stays that costs no more and does at most `step` more harm.
std::vector<State> thinned(const std::vector<State>& states, double step) {
  std::vector<State> kept = {states.front()};
  for (const State& state : states) {
    if (state.harm < kept.back().harm - step) kept.push_back(state);
  }
  return kept;
}

}  // namespace

const ChoicePoint* ChoiceFront::within(double budget) const {
  const ChoicePoint* best = nullptr;
  for (const ChoicePoint& point : points) {
    if (point.cost <= budget) best = &point;
  }
  return best;
}

ChoiceFront best_choices(const std::vector<std::vector<Choice>>& groups, std::size_t most) {
  ChoiceFront front;
  std::vector<std::vector<State>> stages = {{{0, 0, -1, -1}}};
  for (const std::vector<Choice>& group : groups) {
    XGEN_CHECK(!group.empty(), "a group without choices");
    const std::vector<State>& before = stages.back();
    std::vector<State> states;
    states.reserve(before.size() * group.size());
    for (std::size_t s = 0; s < before.size(); ++s) {
      for (std::size_t c = 0; c < group.size(); ++c)
        states.push_back({before[s].cost + group[c].cost, before[s].harm + group[c].harm,
                          static_cast<int>(s), static_cast<int>(c)});
    }
    states = undominated(std::move(states));
    if (states.size() > most) {
      const double step = (states.front().harm - states.back().harm) / static_cast<double>(most);
      states = thinned(states, step);
      front.excess_harm += step;
    }
    stages.push_back(std::move(states));
  }
  for (const State& last : stages.back()) {
    ChoicePoint point{last.cost, last.harm, std::vector<int>(groups.size())};
    const State* state = &last;
    for (std::size_t g = groups.size(); g-- > 0;) {
      point.choices[g] = state->choice;
      state = &stages[g][static_cast<std::size_t>(state->before)];
    }
    front.points.push_back(std::move(point));
  }
  return front;
}

}  // namespace xgen::prune
