#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/ir/graph.h"
#include "core/random.h"
#include "search/spaces/model_places.h"

/// Changes of a network, each a new graph. Those which alter what nodes read leave shapes open:
/// ir::infer_shapes fills them. A change of what an earlier one has removed changes nothing.
namespace xgen::search {

/// Nodes of new convolutions, whose weights are zeros, with the name of the one that each replaced.
using FreshConvolutions = std::map<std::string, std::string>;

/// Replaces a convolution with its bias and BatchNorm by the layers of an operator, called
/// NAME.1.1x1, NAME.2.dw3x3, ...; a BatchNorm follows each, a ReLU each but the last. The first
/// depthwise layer, else the first one, has the stride.
///
/// @param name   one that fits().
/// @param fresh  takes the new convolutions.
ir::Graph with_operator(ir::Graph graph, const ConvolutionPlace& place, const std::string& name,
                        FreshConvolutions& fresh);

/// The shortcut in place of the sum.
ir::Graph without_branch(ir::Graph graph, const BranchPlace& place);

/// The network for square images of another size. An average pooling whose window was as large as
/// the image becomes a global one. @throws UserError where shapes do not fit.
ir::Graph with_resolution(ir::Graph graph, std::int64_t size);

/// Fewer channels in every group that channel_groups() finds. Of each group's channels with the
/// same producers and readers, those with the largest L1 norm of the filters stay, the first ones
/// of equals: the share, rounded up to a multiple of 4.
///
/// @param graph     with shapes.
/// @param share_of  of a node with weights, in (0, 1]; nothing: it does not say. A group takes that
///                  of its first producer that has one, and stays whole without.
/// @return          with shapes.
ir::Graph with_widths(
    const ir::Graph& graph,
    const std::function<std::optional<double>(const std::string& producer)>& share_of);

/// Draws the weights of new convolutions, normally with variance 2 / fan_out, from `random` and
/// their names alone (arXiv:1502.01852).
ir::Graph with_drawn_weights(ir::Graph graph, const FreshConvolutions& fresh, const Random& random);

}  // namespace xgen::search
