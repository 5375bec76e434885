#pragma once

#include "core/ir/graph.h"

namespace xgen::passes {

/// Whether a convolution reads the positions of its stride alone: a 1x1 kernel without padding.
bool reads_by_stride(const ir::Conv& conv, std::int64_t kernel_h, std::int64_t kernel_w);

/// Takes the stride out of convolutions that read the positions of it alone: a Slice of those
/// positions, and the convolution with stride 1.
///
/// What is read is then a quarter of the tensor, which its producer need not write in a second,
/// phase-split form. Results of one position stay as they are. Needs static shapes.
ir::Graph hoist_stride(ir::Graph graph, int max_patches = -1);

}  // namespace xgen::passes
