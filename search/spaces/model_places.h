#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/ir/graph.h"

namespace xgen::search {

/// One convolution of an operator that may take the place of another convolution.
struct OperatorLayer {
  std::int64_t kernel = 1;
  bool depthwise = false;
};

/// The layers of "1x1", "3x3", "dw3x3+1x1", "1x1+dw3x3+1x1" and the like, with kernels of 1, 3, 5
/// or 7; none of "skip"; nothing for another text. Dense layers have as many filters as the
/// convolution that they replace, depthwise ones as many as they read.
///
/// Source: NPAS, Li et al., CVPR 2021 (arXiv:2012.00596).
std::optional<std::vector<OperatorLayer>> operator_layers(const std::string& name);

/// A dense convolution in whose place another operator may stand, with its BatchNorm.
struct ConvolutionPlace {
  std::string convolution;  ///< name of the node.
  std::string batch_norm;   ///< name of the node; empty where the convolution has none.
};

/// Those with constant, unmasked weights, in the order of the graph. @param graph  with shapes.
std::vector<ConvolutionPlace> convolution_places(const ir::Graph& graph);

/// Padding (top, left, bottom, right) with which a kernel of another size gives as many positions
/// as `conv` does, at the same places; nothing where it would have to be negative.
std::optional<std::array<std::int64_t, 4>> pads_for(const ir::Graph& graph, const ir::Node& conv,
                                                    std::int64_t kernel);

/// Whether the operator gives what the convolution gives in shape, and is another one: "skip" wants
/// a result that has the shape of what is read, and a reader; a kernel of the same size is refused.
bool fits(const ir::Graph& graph, const ConvolutionPlace& place, const std::string& name);

/// A residual branch that can be removed as a whole.
struct BranchPlace {
  std::string add;                 ///< name of the node whose result the shortcut becomes.
  std::size_t shortcut = 0;        ///< which of its inputs is it.
  std::vector<std::string> nodes;  ///< those of the branch, which nothing else reads.
};

/// Branches that read what they are added to and nothing else, and that compute with weights; in
/// the order of the graph. @param graph  with shapes.
std::vector<BranchPlace> branch_places(const ir::Graph& graph);

}  // namespace xgen::search
