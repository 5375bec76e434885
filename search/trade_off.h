#pragma once

#include <vector>

#include "core/random.h"
#include "search/sampler.h"

namespace xgen::search {

/// Candidates by the harm that each choice does by itself, of a problem that knows it.
class TradeOff {
 public:
  /// @param problem  with `harm` and something that is known before a trial; outlives it.
  explicit TradeOff(const Problem& problem);

  /// Whether a problem is one.
  static bool is_known(const Problem& problem);

  /// Of each parameter the choice whose harm is least with what it saves of one known objective, at
  /// a price that is drawn: the choices of a knapsack, for one budget after another. Harm among
  /// other choices is not that alone, so each parameter's is changed by a factor that is drawn,
  /// too. Where harm is not known, each choice is as likely as the others.
  Point draw(RandomStream& random) const;
  /// The sum over all choices.
  double harm(const Point& point) const;

 private:
  // Of one known objective.
  struct Costs {
    std::vector<std::vector<double>> of;  // by parameter and choice
    std::vector<double> prices;           // at which some choice becomes the best of its parameter
  };

  const Problem& problem_;
  std::vector<Costs> costs_;
};

}  // namespace xgen::search
