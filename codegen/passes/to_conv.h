#pragma once

#include "core/ir/graph.h"

namespace xgen::passes {

/// Writes as convolutions what is one, so that one kernel family serves:
///   Gemm(Flatten(x [1, c, h, w]), W)  ->  Flatten(Conv h x w)
///   Gemm(x [1, k], W)                 ->  Flatten(Conv 1x1 of x as [1, k, 1, 1])
///   BatchNorm with constants          ->  depthwise 1x1 Conv
///   ReduceMean over h and w           ->  GlobalAveragePool
///   AveragePool over the whole image ->  GlobalAveragePool
/// Needs static shapes. Integer weights keep their scales; masks follow their weight.
ir::Graph to_conv(ir::Graph graph, int max_patches = -1);

}  // namespace xgen::passes
