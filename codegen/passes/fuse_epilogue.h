#pragma once

#include "core/ir/graph.h"

namespace xgen::passes {

/// Moves what follows a convolution into its epilogue, when the convolution has no other reader:
/// a clip or ReLU, in fp32 any Activation, then the addition of a residual of the same shape, then
/// again an activation.
///
/// With integer types no rounding is added or removed: the u8 value that the convolution used to
/// store becomes Epilogue::before_residual.
ir::Graph fuse_epilogue(ir::Graph graph, int max_patches = -1);

}  // namespace xgen::passes
