#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace xgen::search {

/// What a kernel over graphs sees of a candidate: its blocks, and what reads what.
struct LabelledGraph {
  std::vector<std::string> labels;
  std::vector<std::pair<int, int>> edges;  ///< from the producer to the reader.
};

/// How often each label occurs, as a vector of length 1: labels, hashed, ascending, with their
/// shares. The labels of round r say what a node is and what lies within r edges of it, before and
/// behind.
using GraphFeatures = std::vector<std::pair<std::uint64_t, double>>;

/// The features of rounds 0 to `rounds`; none of a graph without nodes.
///
/// Source: Shervashidze et al., "Weisfeiler-Lehman graph kernels", JMLR 2011; directed: a node's
/// producers and readers are told apart.
GraphFeatures weisfeiler_lehman(const LabelledGraph& graph, int rounds);

/// The cosine between two candidates' features: 1 where they are equal, 0 where they share nothing.
double similarity(const GraphFeatures& a, const GraphFeatures& b);

}  // namespace xgen::search
