#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/ir/graph.h"
#include "core/random.h"
#include "search/labelled_graph.h"
#include "search/space.h"

namespace xgen::search {

/// A network of stages, of whose blocks each is chosen by itself: a MobileNetV2 block (arXiv:
/// 1801.04381) of some expansion and kernel, or none.
struct MacroSpace {
  struct Stage {
    std::int64_t channels = 0;
    int blocks = 1;
    std::int64_t stride = 1;  ///< of the first block.
  };
  /// An inverted residual; expansion 0: the input itself, or where extents or channels change a 1x1
  /// convolution with BatchNorm.
  struct Block {
    std::string name;
    std::int64_t expansion = 0, kernel = 1;
  };

  std::string name;
  std::int64_t image_channels = 3, image_size = 32;
  std::int64_t stem_channels = 32;    ///< of the 3x3 convolution that comes first.
  std::int64_t head_channels = 1280;  ///< of the 1x1 convolution that comes last.
  std::vector<Stage> stages;
  std::vector<Block> blocks;  ///< choices of each block.

  Space space() const;  ///< a parameter for each block: "block1", "block2", ...
  /// The network of a point. @param random  what weights are initialised with; nothing: they are
  /// zeros, where only size and time are asked for.
  ir::Graph network(const Point& point, std::int64_t classes,
                    const std::optional<Random>& random) const;
  /// Its blocks, one after another.
  LabelledGraph labelled(const Point& point) const;
};

/// 6,561 networks for CIFAR-10, all of which were trained: eight blocks in three stages, each
/// nothing, expansion 3 with a 3x3 kernel, or expansion 6 with a 5x5 kernel.
///
/// Source: NAS-Bench-Macro, Su et al., CVPR 2021 (arXiv:2103.11922).
const MacroSpace& nas_bench_macro();

}  // namespace xgen::search
