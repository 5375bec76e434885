#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/ir/graph.h"
#include "search/space.h"

/// What candidates that differ in the pruning of single layers have in common: parts of the
/// network in which they choose the same, which can be trained once for all of them.
///
/// Source: Wootz, Guan et al., PLDI 2019 (doi:10.1145/3314221.3314652).
namespace xgen::search {

/// A part of a network that one value enters and one value leaves.
struct NetworkBlock {
  std::string entry, exit;          ///< the names of those values.
  std::vector<std::string> nodes;   ///< in the graph's order.
  std::vector<std::string> layers;  ///< the nodes among them that decide for themselves.
};

/// Cuts a network at every value that all ways from its input to its outputs lead through: a
/// residual block is one block, and where there are no branches so is each layer. What has no
/// weights to prune belongs to the layer before it as long as the extents stay (BatchNorm,
/// activations), else to the one after it (pooling). Weights with several readers are not cut
/// apart.
///
/// @param network  with shapes.
/// @param layers   names of the nodes that decide for themselves; a part without one is no block.
std::vector<NetworkBlock> blocks_of(const ir::Graph& network,
                                    const std::vector<std::string>& layers);

/// What a candidate chooses for the layers of a block, in their order; empty where it leaves all of
/// them dense.
using BlockChoices = std::vector<int>;
/// A candidate: what it chooses for each block.
using BlockSequence = std::vector<BlockChoices>;

/// @param parameters  of Compression, by layer; those of anything else are not looked at.
BlockSequence sequence_of(const std::vector<NetworkBlock>& blocks,
                          const std::vector<Parameter>& parameters, const Point& point);

/// Blocks one after another with what is chosen for each, trained as one.
struct TuningBlock {
  std::size_t first = 0;              ///< index of the first block.
  std::vector<BlockChoices> choices;  ///< of that one and those after it.

  std::string name() const;  ///< "3(1,2)(0,1)".
  friend auto operator<=>(const TuningBlock&, const TuningBlock&) = default;
};

/// The tuning blocks that are worth training for some candidates, sorted.
///
/// As in Sequitur, what stands side by side in two candidates or more becomes a rule, again and
/// again: the most frequent pair first, of equals the one that comes first. A rule is one tuning
/// block, what is in no rule is one by itself; so every candidate is a sequence of them.
///
/// @param share  a rule is made only where it occurs at least this often, as a share of how often
///               the most frequent block in it does. 1 (the paper's second heuristic) joins what
///               only occurs together, so that nothing is trained twice; at 0 every repetition is
///               a rule, and a block may be trained in several.
std::vector<TuningBlock> tuning_blocks(const std::vector<NetworkBlock>& blocks,
                                       const std::vector<BlockSequence>& candidates,
                                       double share = 1);

/// The fewest of the `known` tuning blocks that make a candidate, in order, of as few those with
/// the longest in front; nothing where they do not.
std::optional<std::vector<TuningBlock>> cover(const std::set<TuningBlock>& known,
                                              const BlockSequence& candidate);

}  // namespace xgen::search
