#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/ir/graph.h"
#include "core/random.h"
#include "search/labelled_graph.h"
#include "search/space.h"

namespace xgen::search {

struct ModelPlan;

/// Networks around a given one: other operators in place of its convolutions, fewer channels,
/// fewer residual blocks, other activations, smaller images. What is not changed keeps its trained
/// weights. A list that is absent, or says nothing but "keep" or 1, offers nothing.
///
/// Source of the operators: NPAS, Li et al., CVPR 2021 (arXiv:2012.00596).
struct ModelSpace {
  static constexpr const char* kKind = "model";

  std::string onnx, zoo;
  std::optional<std::int64_t> classes;
  std::vector<std::string> operators, blocks, activations, exclude;
  std::vector<double> widths;
  std::string width_per = "network";
  std::vector<std::int64_t> resolutions;

  template <class V>
  void describe(V& v) {
    v.text("onnx", onnx, "An ONNX file, the model to start from.");
    v.text("zoo", zoo,
           "A network of the zoo, with fresh weights, to start from; `xgen-train zoo` lists them.");
    v.number("classes", classes, {2, 1'000'000},
             "Of a network of the zoo: classes that it tells apart; its usual number by default.");
    v.texts("operators", operators,
            "What each dense convolution with its BatchNorm may be: keep (itself), layers such as "
            "1x1, 3x3, dw3x3+1x1 or 1x1+dw3x3+1x1 (dw: depthwise) with fresh weights and BatchNorm "
            "each, or skip (nothing). Each convolution is offered those that fit it: skip where it "
            "keeps the shape, no kernel of its own size.");
    v.numbers("widths", widths, {0.01, 1},
              "Shares of the channels that may be left, in whole multiples of 4.");
    v.choice("width_per", width_per, {"network", "group"},
             "network: one share for all layers; group: one for each group of layers whose "
             "channels must be the same.");
    v.texts("blocks", blocks,
            "What each residual block that keeps the shape may be: keep, or skip (its shortcut "
            "alone).");
    v.texts("activations", activations,
            "What SiLU, GELU, hard swish, and tanh and sigmoid between layers may be, in the whole "
            "network: keep, relu, relu6 or hard_swish.");
    v.numbers("resolutions", resolutions, {1, 4096},
              "Heights and widths of images, of a network whose result does not depend on them.");
    v.texts("exclude", exclude,
            "Names of convolutions, * and ? allowed, that keep their operator and channels.");
  }
  std::optional<ConfigProblem> problem() const;

  /// Loads the model, once for all candidates, and finds what can be changed: what is below asks
  /// for it. Copies share what was loaded.
  /// @param folder  what `onnx` is relative to.
  /// @throws UserError naming the model where it cannot be read or cannot be changed as asked.
  void resolve(const std::filesystem::path& folder);

  /// "resolution", "activation", "width" or "width:CONV", "block1", ..., "operator:CONV". Of a
  /// block that is skipped the convolutions take their first choice.
  Space space() const;
  /// The network of a point. Of the convolutions that it adds, weights are drawn after their
  /// channels are chosen; nothing is random in what is kept of an ONNX file.
  /// @param random  what new weights, and all those of a network of the zoo, are initialised with;
  ///                nothing: new ones are zeros, where only size and time are asked for.
  ir::Graph network(const Point& point, const std::optional<Random>& random) const;
  /// Height and width of the images that a point's network takes, where they are a choice.
  std::optional<std::int64_t> resolution(const Point& point) const;
  /// The model's convolutions, matrix products, pools and sums, with what was chosen for each;
  /// all of a block that is skipped are "skip".
  LabelledGraph labelled(const Point& point) const;

  std::shared_ptr<const ModelPlan> plan;  ///< what resolve() found.
};

}  // namespace xgen::search
