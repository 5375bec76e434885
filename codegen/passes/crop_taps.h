#pragma once

#include <array>
#include <optional>

#include "core/ir/graph.h"

namespace xgen::passes {

/// The rows and columns of a kernel that meet the image at least once, and the convolution that is
/// left with them.
struct Crop {
  struct Range {
    std::int64_t first = 0, last = 0;
    std::int64_t size() const { return last - first + 1; }
  };
  Range rows, columns;
  ir::Conv conv;
};
/// Extents are rows and columns: of the kernel, of the image, of the result. Nothing where every
/// row and column is read.
std::optional<Crop> crop_of(const ir::Conv& conv, std::array<std::int64_t, 2> kernel,
                            std::array<std::int64_t, 2> image, std::array<std::int64_t, 2> result);

/// What a crop leaves of patterns of a kernel so many columns wide; nothing where they then differ
/// in size, or one is empty.
std::optional<PatternSet> cropped(PatternSet patterns, std::int64_t width, const Crop& crop);

/// Removes the rows and columns of a convolution's kernel that only ever meet its padding: a 3x3
/// kernel on an image of one position is a 1x1 one. Padding shrinks with them, results stay.
///
/// A mask follows where every pattern keeps as many taps as the others; else the layer becomes
/// dense. Needs static shapes.
ir::Graph crop_taps(ir::Graph graph, int max_patches = -1);

}  // namespace xgen::passes
