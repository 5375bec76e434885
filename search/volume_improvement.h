#pragma once

#include <vector>

#include "search/gaussian_process.h"
#include "search/pareto.h"

namespace xgen::search {

/// How much hypervolume a candidate is expected to add, of whose objectives all but the last are
/// known: the integral over the last one's values, each with the part of the candidate's volume in
/// the other objectives that nothing as good has already.
///
/// @param belief     what is believed of the candidate's last objective.
/// @param known      its other objectives; without any it is expected_improvement() over the best.
/// @param found      what is compared with, by the last objective, the least first.
/// @param reference  as long as each of `found`.
///
/// Source: Emmerich et al., "Single- and multiobjective evolutionary optimization assisted by
/// Gaussian random field metamodels", 2006; exact, as one objective alone is uncertain.
double expected_volume_improvement(const GaussianProcess::Belief& belief, const Objectives& known,
                                   const std::vector<Objectives>& found,
                                   const Objectives& reference);

}  // namespace xgen::search
