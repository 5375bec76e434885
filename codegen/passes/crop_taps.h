#pragma once

#include "core/ir/graph.h"

namespace xgen::passes {

/// Removes the rows and columns of a convolution's kernel that only ever meet its padding: a 3x3
/// kernel on an image of one position is a 1x1 one. Padding shrinks with them, results stay.
///
/// A mask follows where every pattern keeps as many taps as the others; else the layer becomes
/// dense. Needs static shapes.
ir::Graph crop_taps(ir::Graph graph, int max_patches = -1);

}  // namespace xgen::passes
