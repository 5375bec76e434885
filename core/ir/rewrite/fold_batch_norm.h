#pragma once

#include "core/ir/graph.h"

namespace xgen::ir {

/// Folds a batch norm into the convolution or Gemm before it:
///
///   bn(conv(x, w, b)) == conv(x, w * k, (b - mean) * k + shift),  k = scale / sqrt(var + eps)
///
/// Applies where nothing else reads the convolution and all parameters are constants. A mask stays
/// with its weight. Results agree with the unfolded graph up to float rounding.
///
/// @param fold_values  false: the new weight is the old one as it is, for a graph whose shapes
/// alone
///                     matter.
Graph fold_batch_norm(Graph graph, int max_patches = -1, bool fold_values = true);

}  // namespace xgen::ir
