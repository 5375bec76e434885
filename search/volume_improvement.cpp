#include "search/volume_improvement.h"

namespace xgen::search {

namespace {

double added_volume(const Objectives& own, std::vector<Objectives> others,
                    const Objectives& reference) {
  if (own.empty()) return others.empty() ? 1 : 0;
  const double without = hypervolume(others, reference);
  others.push_back(own);
  return hypervolume(others, reference) - without;
}

}  // namespace

double expected_volume_improvement(const GaussianProcess::Belief& belief, const Objectives& known,
                                   const std::vector<Objectives>& found,
                                   const Objectives& reference) {
  const Objectives bounds(reference.begin(), reference.end() - 1);
  std::vector<Objectives> better;  // no worse in the last objective, in the others
  double sum = 0, below = 0;
  for (std::size_t i = 0; i <= found.size(); ++i) {
    const double volume = added_volume(known, better, bounds);
    if (volume <= 0) break;
    const double up_to =
        expected_improvement(belief, i < found.size() ? found[i].back() : reference.back());
    sum += volume * (up_to - below);
    below = up_to;
    if (i < found.size()) better.emplace_back(found[i].begin(), found[i].end() - 1);
  }
  return sum;
}

}  // namespace xgen::search
