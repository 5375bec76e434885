#include "train/zoo/models.h"
#include "train/zoo/net_builder.h"

namespace xgen::train::zoo_models {
namespace {

/// Three stages of `blocks` basic blocks; depth 6 * blocks + 2.
/// Source: He et al., CVPR 2016 (arXiv:1512.03385), section 4.2, shortcuts of option A.
ir::Graph resnet_cifar(const std::string& name, int blocks, std::int64_t classes,
                       const Random& random) {
  NetBuilder net(name, 3, 32, 32, random);
  net.conv_bn_relu("1", 16, {});
  for (int stage = 1; stage <= 3; ++stage) {
    const std::int64_t width = 16 << (stage - 1);
    for (int block = 0; block < blocks; ++block) {
      const std::string prefix = str("layer", stage, ".", block, ".");
      const std::int64_t stride = stage > 1 && block == 0 ? 2 : 1;
      const ir::ValueId x = net.current();
      const std::int64_t channels = net.channels();
      net.conv(prefix + "conv1", width, {.stride = stride}).batch_norm(prefix + "bn1");
      net.relu(prefix + "relu1").conv(prefix + "conv2", width, {}).batch_norm(prefix + "bn2");
      const ir::ValueId y = net.current();
      net.from(x, channels);
      if (stride != 1) net.subsample_and_widen(prefix + "shortcut", stride, width);
      const ir::ValueId shortcut = net.current();
      net.from(y, width).add(prefix + "add", shortcut).relu(prefix + "relu2");
    }
  }
  return net.average_pool_to_features("pool").finish(classes);
}

}  // namespace

ir::Graph resnet20(std::int64_t classes, const Random& random) {
  return resnet_cifar("resnet20", 3, classes, random);
}
ir::Graph resnet32(std::int64_t classes, const Random& random) {
  return resnet_cifar("resnet32", 5, classes, random);
}
ir::Graph resnet44(std::int64_t classes, const Random& random) {
  return resnet_cifar("resnet44", 7, classes, random);
}
ir::Graph resnet56(std::int64_t classes, const Random& random) {
  return resnet_cifar("resnet56", 9, classes, random);
}

}  // namespace xgen::train::zoo_models
