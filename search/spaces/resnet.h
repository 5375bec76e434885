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

/// A residual network for small images: a stem, stages of basic blocks, a global average pooling
/// and a classifier. Every stage's width and depth are chosen by themselves.
///
/// Source: He et al., CVPR 2016 (arXiv:1512.03385), section 4.2.
struct ResnetSpace {
  static constexpr const char* kKind = "resnet";

  struct Stage {
    std::vector<std::int64_t> widths, depths = {1};
    std::int64_t stride = 1;

    template <class V>
    void describe(V& v) {
      v.numbers("widths", widths, {1, 65536}, "Channels that its blocks may have.", Need::required);
      v.numbers("depths", depths, {1, 100}, "How many blocks it may have.");
      v.number("stride", stride, {1, 4}, "Of the first block.");
    }
    std::optional<ConfigProblem> problem() const;
  };

  struct Stem {
    std::int64_t channels = 16, kernel = 3, stride = 1;

    template <class V>
    void describe(V& v) {
      v.number("channels", channels, {1, 65536}, "Of its convolution.");
      v.number("kernel", kernel, {1, 11}, "Height and width of its convolution, odd.");
      v.number("stride", stride, {1, 4}, "Of its convolution.");
    }
    std::optional<ConfigProblem> problem() const;
  };

  std::int64_t image_channels = 3, image_size = 32, classes = 10;
  Stem stem;
  std::vector<Stage> stages;
  std::string shortcut = "zeros";

  template <class V>
  void describe(V& v) {
    v.number("image_channels", image_channels, {1, 1024}, "Channels of an image.");
    v.number("image_size", image_size, {1, 4096}, "Height and width of an image.");
    v.number("classes", classes, {2, 1'000'000}, "Classes that the network tells apart.");
    v.object("stem", stem, "What comes first.");
    v.objects("stages", stages, "Blocks of one width each, one stage after another.",
              Need::required);
    v.choice("shortcut", shortcut, {"zeros", "projection"},
             "What a block that changes the shape is added to: every stride-th position, widened "
             "by channels of zeros (option A), or a 1x1 convolution with BatchNorm (option B).");
  }
  std::optional<ConfigProblem> problem() const;

  Space space() const;  ///< "stage1.width", "stage1.depth", "stage2.width", ...
  /// The network of a point. @param random  what weights are initialised with; nothing: they are
  /// zeros, where only size and time are asked for.
  ir::Graph network(const Point& point, const std::optional<Random>& random) const;
  /// Its blocks, one after another.
  LabelledGraph labelled(const Point& point) const;
};

}  // namespace xgen::search
