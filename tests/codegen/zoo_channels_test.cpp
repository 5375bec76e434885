#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "codegen/compile.h"
#include "codegen/runtime/host_model.h"
#include "codegen/targets.h"
#include "core/ir/rewrite/fold_constants.h"
#include "core/ir/rewrite/shrink_channels.h"
#include "core/ir/rewrite/simplify.h"
#include "core/ir/verify.h"
#include "tests/support/channels.h"
#include "tests/support/compiled_graph.h"
#include "tests/support/skeleton.h"

namespace xgen {
namespace {

ir::Constant run(const ir::Graph& graph) {
  CompileOptions options;
  options.target = find_target("host");
  HostModel model = HostModel::build(compile(graph, options).program);
  test::RandomTensors random(7);
  return model.run({random.f32(ir::extents(*graph.value(graph.inputs()[0]).type.shape))}).at(0);
}

/// Networks of other people, pruned by channels at random: all CNNs of the folder whose operators
/// are known, each group of channels at a rate of its own.
class ZooChannels : public testing::TestWithParam<const char*> {};

TEST_P(ZooChannels, SmallerNetworkComputesWhatTheOneWithZerosComputes) {
  if (test::skeletons().empty()) GTEST_SKIP() << "no folder of architectures beside the project";
  const ir::Graph graph = ir::simplify(ir::fold_constants(test::filled_skeleton(GetParam())));
  test::RandomTensors random(11);
  const auto groups = ir::channel_groups(graph);
  const auto units = test::random_units(groups, 0.75, random);
  ASSERT_FALSE(units.empty());
  const ir::Graph small = ir::shrink_channels(graph, units);
  ir::verify(small, "shrink_channels");
  const ir::Constant want = run(test::zeroed(graph, units)), got = run(small);
  ASSERT_EQ(got.shape, want.shape);
  float largest = 0;
  for (const float v : want.as<float>()) largest = std::max(largest, std::abs(v));
  ASSERT_TRUE(largest > 0 && std::isfinite(largest)) << largest;
  for (std::size_t i = 0; i < want.as<float>().size(); ++i)
    ASSERT_NEAR(got.as<float>()[i], want.as<float>()[i], 1e-4F * largest) << i;
}

INSTANTIATE_TEST_SUITE_P(Skeletons, ZooChannels,
                         testing::Values("densenet121", "efficientnet_b0", "efficientnet_b0_dynamo",
                                         "mobilenet_v1", "mobilenet_v2", "mobilenet_v2_cifar",
                                         "mobilenet_v3_large", "resnet18", "resnet18_dynamo",
                                         "resnet50", "shufflenet_v2_x1_0", "squeezenet1_1",
                                         "ssdlite320_mobilenet_v3_large", "unet_bilinear", "vgg16",
                                         "vgg16_bn_cifar"),
                         [](const auto& skeleton) { return std::string(skeleton.param); });

}  // namespace
}  // namespace xgen
