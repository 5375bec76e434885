#include "train/zoo/models.h"
#include "train/zoo/net_builder.h"

namespace xgen::train::zoo_models {

/// Source: Sandler et al., CVPR 2018 (arXiv:1801.04381), table 2. For 32x32 images the first two
/// strides are 1.
ir::Graph mobilenet_v2(std::int64_t classes, const Random& random) {
  struct Stage {
    std::int64_t expansion, width, blocks, stride;
  };
  NetBuilder net("mobilenet_v2", 3, 32, 32, random);
  net.conv("stem.conv", 32, {}).batch_norm("stem.bn").relu6("stem.relu");
  int index = 0;
  for (const Stage& stage :
       {Stage{1, 16, 1, 1}, Stage{6, 24, 2, 1}, Stage{6, 32, 3, 2}, Stage{6, 64, 4, 2},
        Stage{6, 96, 3, 1}, Stage{6, 160, 3, 2}, Stage{6, 320, 1, 1}}) {
    for (std::int64_t block = 0; block < stage.blocks; ++block) {
      const std::string prefix = str("block", ++index, ".");
      const std::int64_t stride = block == 0 ? stage.stride : 1;
      const ir::ValueId x = net.current();
      const std::int64_t channels = net.channels();
      const std::int64_t hidden = channels * stage.expansion;
      if (stage.expansion != 1) {
        net.conv(prefix + "expand.conv", hidden, {.kernel = 1});
        net.batch_norm(prefix + "expand.bn").relu6(prefix + "expand.relu");
      }
      net.conv(prefix + "depthwise.conv", hidden, {.stride = stride, .groups = hidden});
      net.batch_norm(prefix + "depthwise.bn").relu6(prefix + "depthwise.relu");
      net.conv(prefix + "project.conv", stage.width, {.kernel = 1});
      net.batch_norm(prefix + "project.bn");
      if (stride == 1 && channels == stage.width) net.add(prefix + "add", x);
    }
  }
  net.conv("head.conv", 1280, {.kernel = 1}).batch_norm("head.bn").relu6("head.relu");
  return net.average_pool_to_features("pool").finish(classes);
}

}  // namespace xgen::train::zoo_models
