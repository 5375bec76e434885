#pragma once

#include <cstddef>
#include <vector>

/// Several objectives at once, each of them minimised.
namespace xgen::search {

using Objectives = std::vector<double>;

/// Whether `a` is nowhere worse than `b` and somewhere better. Equal ones do not dominate each
/// other.
bool dominates(const Objectives& a, const Objectives& b);

/// The front that each belongs to: 0 where nothing dominates it, 1 where only those of front 0 do,
/// and so on (non-dominated sorting).
///
/// Source: Deb et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II", 2002.
std::vector<std::size_t> fronts_of(const std::vector<Objectives>& all);

/// How much room there is around each member of one front: the sum over objectives of the distance
/// between its two neighbours, as a share of the front's extent; infinity at the ends.
///
/// Source: as fronts_of().
std::vector<double> crowding_distances(const std::vector<Objectives>& front);

/// The volume of what `all` dominate up to the reference; what is not better than it in every
/// objective counts nothing. Exact, by slicing along the last objective.
///
/// @param reference  as many objectives as all of them have, at least 1.
/// Source: While et al., "A faster algorithm for calculating hypervolume", 2006.
double hypervolume(const std::vector<Objectives>& all, const Objectives& reference);

/// A reference for hypervolumes: of each objective a tenth of its range beyond the worst of `all`,
/// at least one, so that the ends of a front count, too.
Objectives reference_beyond(const std::vector<Objectives>& all);

}  // namespace xgen::search
