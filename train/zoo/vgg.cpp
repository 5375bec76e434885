#include "train/zoo/models.h"
#include "train/zoo/net_builder.h"

namespace xgen::train::zoo_models {

/// Configuration D of Simonyan and Zisserman, ICLR 2015 (arXiv:1409.1556), with BatchNorm. 32x32
/// images leave one position, so one fully connected layer replaces the three.
ir::Graph vgg16_bn(std::int64_t classes, const Random& random) {
  NetBuilder net("vgg16_bn", 3, 32, 32, random);
  constexpr int kPool = 0;
  int conv = 0, pool = 0;
  for (const int width : {64, 64, kPool, 128, 128, kPool, 256, 256, 256, kPool, 512, 512, 512,
                          kPool, 512, 512, 512, kPool}) {
    if (width == kPool) {
      net.max_pool(str("pool", ++pool), 2);
    } else {
      net.conv_bn_relu(str(++conv), width, {});
    }
  }
  return net.flatten("flatten", 1, 1).dropout("dropout", 0.5F).finish(classes);
}

}  // namespace xgen::train::zoo_models
