#include <algorithm>
#include <tuple>

#include "search/sampler.h"

namespace xgen::search {

namespace {

// As in the paper's small studies, whose populations had 20 to 100 members: trials older than these
// are gone, however good they were.
constexpr std::size_t kPopulation = 50, kTournament = 10;

// Of members drawn at random the one on the first front with the most room around it.
Point parent_of(const Question& question, RandomStream& random) {
  const std::size_t count = question.trials.size(), alive = std::min(count, kPopulation);
  std::vector<const Trial*> drawn;
  for (const std::int64_t i : random.permutation(static_cast<std::int64_t>(alive))) {
    drawn.push_back(&question.trials[count - alive + static_cast<std::size_t>(i)]);
    if (drawn.size() == kTournament) break;
  }
  std::vector<Objectives> objectives;
  for (const Trial* t : drawn) objectives.push_back(t->objectives);
  const std::vector<std::size_t> fronts = fronts_of(objectives);
  std::vector<const Trial*> first;
  std::vector<Objectives> of_first;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    if (fronts[i] != 0) continue;
    first.push_back(drawn[i]);
    of_first.push_back(objectives[i]);
  }
  const std::vector<double> room = crowding_distances(of_first);
  return first[static_cast<std::size_t>(std::max_element(room.begin(), room.end()) - room.begin())]
      ->point;
}

}  // namespace

Point evolution_sampler(const Question& question) {
  if (question.trials.size() < kTournament) return random_sampler(question);
  RandomStream random = question.random.stream("evolution", question.number);
  return untried(question, random, [&](RandomStream& r) {
    return question.problem.space.mutate(parent_of(question, r), r);
  });
}

}  // namespace xgen::search
