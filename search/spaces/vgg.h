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

/// Stages of 3x3 convolutions with BatchNorm and ReLU, each followed by a 2x2 max pooling; every
/// stage's width and depth are chosen by themselves.
///
/// Source: Simonyan and Zisserman, ICLR 2015 (arXiv:1409.1556).
struct VggSpace {
  static constexpr const char* kKind = "vgg";

  struct Stage {
    std::vector<std::int64_t> widths, depths = {1};

    template <class V>
    void describe(V& v) {
      v.numbers("widths", widths, {1, 65536}, "Channels that its convolutions may have.",
                Need::required);
      v.numbers("depths", depths, {1, 100}, "How many convolutions it may have.");
    }
    std::optional<ConfigProblem> problem() const;
  };

  std::int64_t image_channels = 3, image_size = 32, classes = 10;
  std::vector<Stage> stages;
  std::string head = "average_pool";
  std::int64_t hidden = 0;

  template <class V>
  void describe(V& v) {
    v.number("image_channels", image_channels, {1, 1024}, "Channels of an image.");
    v.number("image_size", image_size, {1, 4096}, "Height and width of an image.");
    v.number("classes", classes, {2, 1'000'000}, "Classes that the network tells apart.");
    v.objects("stages", stages, "Convolutions of one width each, one stage after another.",
              Need::required);
    v.choice("head", head, {"average_pool", "flatten"},
             "What the last stage's channels become features by: their means, or every position.");
    v.number("hidden", hidden, {0, 65536},
             "Features of a fully connected layer with ReLU before the last one; 0: there is "
             "none.");
  }
  std::optional<ConfigProblem> problem() const;

  Space space() const;  ///< "stage1.width", "stage1.depth", "stage2.width", ...
  /// The network of a point. @param random  what weights are initialised with; nothing: they are
  /// zeros, where only size and time are asked for.
  ir::Graph network(const Point& point, const std::optional<Random>& random) const;
  /// Its convolutions and poolings, one after another.
  LabelledGraph labelled(const Point& point) const;
};

}  // namespace xgen::search
