#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/ir/graph.h"
#include "core/random.h"

namespace xgen::train {

/// What a NetBuilder with this `random` gives the weight of this name: of a convolution with one
/// group (He's normal distribution by outputs) or of a fully connected layer (uniform).
///
/// @param shape  [c_out, c_in, kh, kw] or [c_out, c_in].
std::vector<float> initial_weights(const Random& random, const std::string& name,
                                   const ir::Extents& shape);

/// Builds a graph layer by layer. Keeps the current value and the number of its channels, so that
/// models read as lists of layers.
class NetBuilder {
 public:
  struct ConvOptions {
    std::int64_t kernel = 3;
    std::int64_t stride = 1;
    std::int64_t pad = -1;  ///< -1: (kernel - 1) / 2, which keeps the extent at stride 1.
    std::int64_t groups = 1;
    bool bias = false;
  };

  /// @param random  what weights are initialised with; nothing: they are zeros, where a network is
  ///                only asked for its size and time.
  NetBuilder(std::string name, std::int64_t channels, std::int64_t height, std::int64_t width,
             const std::optional<Random>& random);

  NetBuilder& conv(const std::string& name, std::int64_t c_out, const ConvOptions& options);
  NetBuilder& batch_norm(const std::string& name);
  NetBuilder& relu(const std::string& name);
  NetBuilder& relu6(const std::string& name);
  NetBuilder& max_pool(const std::string& name, std::int64_t size);
  NetBuilder& average_pool_to_features(const std::string& name);  ///< [n, c, h, w] -> [n, c]
  /// [n, c, h, w] -> [n, c * h * w].
  NetBuilder& flatten(const std::string& name, std::int64_t height, std::int64_t width);
  NetBuilder& dropout(const std::string& name, float ratio);
  NetBuilder& linear(const std::string& name, std::int64_t features_out);
  NetBuilder& add(const std::string& name, ir::ValueId other);
  /// He et al.'s option A: every `stride`-th position, then zero channels on both sides up to
  /// c_out.
  NetBuilder& subsample_and_widen(const std::string& name, std::int64_t stride, std::int64_t c_out);
  /// conv, BatchNorm and ReLU, as conv1, bn1, relu1 for the suffix "1".
  NetBuilder& conv_bn_relu(const std::string& suffix, std::int64_t c_out,
                           const ConvOptions& options);

  ir::ValueId current() const { return current_; }
  std::int64_t channels() const { return channels_; }
  /// Continues from another value.
  NetBuilder& from(ir::ValueId value, std::int64_t channels);
  /// A last fully connected layer makes the output "logits".
  ir::Graph finish(std::int64_t classes);

 private:
  ir::ValueId parameter(const std::string& name, ir::Extents shape, const std::string& kind);
  ir::ValueId integers(const std::string& name, const std::vector<std::int64_t>& values);
  ir::ValueId linear_node(const std::string& name, std::int64_t out, const std::string& output);

  ir::Graph graph_;
  std::optional<Random> random_;
  ir::ValueId current_;
  std::int64_t channels_;
};

}  // namespace xgen::train
