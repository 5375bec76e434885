#pragma once

#include "train/zoo/net_builder.h"

namespace xgen::test {

/// For images of 8x8 in three classes: three convolutions, of which the last one is added to what
/// the first one gave.
inline ir::Graph residual_network() {
  train::NetBuilder net("residual", 1, 8, 8, Random(1));
  net.conv_bn_relu("1", 8, {});
  const ir::ValueId shortcut = net.current();
  return net.conv_bn_relu("2", 8, {})
      .conv_bn_relu("3", 8, {})
      .add("add", shortcut)
      .average_pool_to_features("pool")
      .finish(3);
}

}  // namespace xgen::test
