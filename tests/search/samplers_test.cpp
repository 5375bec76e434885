#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "search/sampler.h"
#include "tests/support/message.h"

namespace xgen::search {
namespace {

// Six decisions of three choices. The error falls with each choice's number and a little more where
// neighbours agree; the cost, known before, rises with it.
double error_of(const Point& p) {
  double sum = 20;
  for (std::size_t i = 0; i < p.size(); ++i) {
    sum -= p[i] * (1 + 0.2 * static_cast<double>(i));
    if (i > 0 && p[i] == p[i - 1]) sum -= 0.3;
  }
  return sum;
}
double cost_of(const Point& p) {
  double sum = 1;
  for (std::size_t i = 0; i < p.size(); ++i) sum += p[i] * (2 - 0.2 * static_cast<double>(i));
  return sum;
}

Problem problem() {
  Problem problem;
  problem.space.name = "six";
  for (int i = 0; i < 6; ++i) problem.space.parameters.push_back({str("p", i), {"0", "1", "2"}});
  problem.graph = [](const Point& p) {
    LabelledGraph graph;
    for (std::size_t i = 0; i < p.size(); ++i) graph.labels.push_back(str(i, ":", p[i]));
    for (int i = 1; i < static_cast<int>(p.size()); ++i) graph.edges.emplace_back(i - 1, i);
    return graph;
  };
  problem.known = [](const Point& p) {
    return Objectives{std::numeric_limits<double>::quiet_NaN(), cost_of(p)};
  };
  return problem;
}

std::vector<Trial> study(const std::string& sampler, std::uint64_t seed, std::size_t count,
                         const Problem& of = problem()) {
  std::vector<Trial> trials;
  while (trials.size() < count) {
    const Point point =
        find_sampler(sampler, "test")({of, Random(seed), trials.size(), trials, {}});
    EXPECT_TRUE(of.space.contains(point));
    trials.push_back({point, {error_of(point), cost_of(point)}});
  }
  return trials;
}

double volume_of(const std::vector<Trial>& trials) {
  std::vector<Objectives> objectives;
  for (const Trial& t : trials) objectives.push_back(t.objectives);
  return hypervolume(objectives, {20, 20});
}

TEST(Samplers, ProposeNothingTwiceAndTheSameForTheSameTrials) {
  for (const std::string& name : sampler_names()) {
    const std::vector<Trial> once = study(name, 3, 60), again = study(name, 3, 60);
    std::set<Point> points;
    for (std::size_t i = 0; i < once.size(); ++i) {
      points.insert(once[i].point);
      EXPECT_EQ(once[i].point, again[i].point) << name;
    }
    EXPECT_EQ(points.size(), once.size()) << name;
    EXPECT_NE(study(name, 4, 1)[0].point, once[0].point) << name;
  }
}

TEST(Samplers, ThatLearnFindMoreThanRandomOnes) {
  double random = 0, evolution = 0, bayesian = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    random += volume_of(study("random", seed, 60));
    evolution += volume_of(study("evolution", seed, 60));
    bayesian += volume_of(study("bayesian", seed, 60));
  }
  EXPECT_GT(evolution, random);
  EXPECT_GT(bayesian, evolution);
}

// By the costs of the first candidates: how many of ten equal parts of their range have one.
std::size_t parts_with_a_candidate(const std::string& sampler, std::uint64_t seed) {
  std::set<int> parts;
  for (const Trial& t : study(sampler, seed, 15))
    parts.insert(static_cast<int>((std::log(cost_of(t.point)) / std::log(19.1)) * 10));
  return parts.size();
}

TEST(Samplers, TheBayesianOneBeginsSpreadOverWhatIsKnown) {
  std::size_t even = 0, spread = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    even += parts_with_a_candidate("random", seed);
    spread += parts_with_a_candidate("bayesian", seed);
  }
  EXPECT_GT(spread, even + 10) << "one part more for each seed";
}

// As a scan of single choices would tell it: what the choice does to the error where all others are
// the last one, plus a constant.
TEST(Samplers, TheBayesianOneFindsMoreWhereHarmIsKnown) {
  Problem told = problem();
  for (std::size_t p = 0; p < 6; ++p) {
    told.harm.emplace_back();
    for (int choice = 0; choice < 3; ++choice)
      told.harm.back().push_back((2 - choice) * (1 + 0.2 * static_cast<double>(p)));
  }
  double blind = 0, seeing = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    blind += volume_of(study("bayesian", seed, 30));
    seeing += volume_of(study("bayesian", seed, 30, told));
  }
  EXPECT_GT(seeing, 1.02 * blind);
}

TEST(Samplers, ProposeOnlyWhatIsAllowed) {
  Problem limited = problem();
  // About 1 in 100 candidates.
  limited.violation = [](const Point& p) { return std::max(0.0, cost_of(p) - 4); };
  for (const std::string& name : sampler_names()) {
    std::vector<Trial> trials;
    while (trials.size() < 25) {
      const Point point =
          find_sampler(name, "test")({limited, Random(3), trials.size(), trials, {}});
      EXPECT_LE(cost_of(point), 4) << name;
      trials.push_back({point, {error_of(point), cost_of(point)}});
    }
  }
}

TEST(Samplers, GoOnWhenEverythingWasTried) {
  Problem small = problem();
  small.space.parameters.resize(1);
  const std::vector<Trial> all = {{{0}, {3, 1}}, {{1}, {2, 2}}, {{2}, {1, 3}}};
  std::vector<Trial> trials;
  for (int i = 0; i < 10; ++i) trials.insert(trials.end(), all.begin(), all.end());
  for (const std::string& name : sampler_names())
    EXPECT_TRUE(small.space.contains(
        find_sampler(name, "test")({small, Random(1), trials.size(), trials, {}})))
        << name;
}

TEST(FindSampler, SuggestsOne) {
  EXPECT_EQ(test::message_of([] { find_sampler("bayesan", "s.json: /sampler"); }),
            "s.json: /sampler: expected a sampler, got \"bayesan\"; did you mean \"bayesian\"?");
}

}  // namespace
}  // namespace xgen::search
