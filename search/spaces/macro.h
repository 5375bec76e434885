#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/ir/graph.h"
#include "core/random.h"
#include "search/labelled_graph.h"
#include "search/space.h"

namespace xgen::search {

/// A network of stages, of whose blocks each is chosen by itself.
struct MacroSpace {
  static constexpr const char* kKind = "macro";

  struct Stage {
    std::int64_t channels = 0;
    int blocks = 1;
    std::int64_t stride = 1;

    template <class V>
    void describe(V& v) {
      v.number("channels", channels, {1, 65536}, "Channels of its blocks' results.",
               Need::required);
      v.number("blocks", blocks, {1, 1000}, "How many blocks it has.");
      v.number("stride", stride, {1, 4}, "Of the first block.");
    }
  };

  std::int64_t image_channels = 3, image_size = 32, classes = 10;
  std::int64_t stem_channels = 32, head_channels = 1280;
  std::vector<Stage> stages;
  std::vector<std::string> blocks;

  template <class V>
  void describe(V& v) {
    v.number("image_channels", image_channels, {1, 1024}, "Channels of an image.");
    v.number("image_size", image_size, {1, 4096}, "Height and width of an image.");
    v.number("classes", classes, {2, 1'000'000}, "Classes that the network tells apart.");
    v.number("stem_channels", stem_channels, {1, 65536},
             "Of the 3x3 convolution that comes first.");
    v.number("head_channels", head_channels, {1, 65536}, "Of the 1x1 convolution that comes last.");
    v.objects("stages", stages, "Blocks of one width each, one stage after another.",
              Need::required);
    v.texts("blocks", blocks,
            "What each block may be. mb3_k5: an inverted residual of MobileNetV2 "
            "(arXiv:1801.04381), here of expansion 3 with a 5x5 kernel. identity: nothing, or "
            "where extents or channels change a 1x1 convolution with BatchNorm.",
            Need::required);
  }
  std::optional<ConfigProblem> problem() const;

  Space space() const;  ///< a parameter for each block: "block1", "block2", ...
  /// The network of a point. @param random  what weights are initialised with; nothing: they are
  /// zeros, where only size and time are asked for.
  ir::Graph network(const Point& point, const std::optional<Random>& random) const;
  /// Its blocks, one after another.
  LabelledGraph labelled(const Point& point) const;
};

/// 6,561 networks for CIFAR-10, all of which were trained: eight blocks in three stages, each
/// nothing, expansion 3 with a 3x3 kernel, or expansion 6 with a 5x5 kernel.
///
/// Source: NAS-Bench-Macro, Su et al., CVPR 2021 (arXiv:2103.11922).
const MacroSpace& nas_bench_macro();

}  // namespace xgen::search
