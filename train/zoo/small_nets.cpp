#include "train/zoo/models.h"
#include "train/zoo/net_builder.h"

namespace xgen::train::zoo_models {

ir::Graph digits_cnn(std::int64_t classes, const Random& random) {
  return NetBuilder("digits_cnn", 1, 8, 8, random)
      .conv_bn_relu("1", 16, {})
      .conv_bn_relu("2", 32, {})
      .max_pool("pool1", 2)
      .conv_bn_relu("3", 64, {})
      .average_pool_to_features("pool2")
      .finish(classes);
}

ir::Graph fashion_cnn(std::int64_t classes, const Random& random) {
  return NetBuilder("fashion_cnn", 1, 28, 28, random)
      .conv_bn_relu("1", 32, {})
      .max_pool("pool1", 2)
      .conv_bn_relu("2", 64, {})
      .conv_bn_relu("3", 64, {})
      .max_pool("pool2", 2)
      .conv_bn_relu("4", 128, {})
      .conv_bn_relu("5", 128, {})
      .average_pool_to_features("pool3")
      .finish(classes);
}

/// Source: LeCun et al., Proceedings of the IEEE 86 (1998); ReLU and max pooling as it is used
/// today.
ir::Graph lenet5(std::int64_t classes, const Random& random) {
  const NetBuilder::ConvOptions first{.kernel = 5, .pad = 2, .bias = true};
  const NetBuilder::ConvOptions second{.kernel = 5, .pad = 0, .bias = true};
  return NetBuilder("lenet5", 1, 28, 28, random)
      .conv("conv1", 6, first)
      .relu("relu1")
      .max_pool("pool1", 2)
      .conv("conv2", 16, second)
      .relu("relu2")
      .max_pool("pool2", 2)
      .flatten("flatten", 5, 5)
      .linear("fc1", 120)
      .relu("relu3")
      .linear("fc2", 84)
      .relu("relu4")
      .finish(classes);
}

}  // namespace xgen::train::zoo_models
