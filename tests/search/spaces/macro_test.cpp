#include "search/spaces/macro.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/ir/infer_shapes.h"
#include "core/ir/node_size.h"
#include "tests/search/spaces/samples.h"

namespace xgen::search {
namespace {

Point point_of(const std::string& digits) {
  Point point;
  for (const char c : digits) point.push_back(c - '0');
  return point;
}

// The benchmark tells parameters and multiply-adds of every network that was trained.
TEST(NasBenchMacro, BuildsTheNetworksThatWereTrained) {
  const std::filesystem::path file = std::filesystem::path(XGEN_SOURCE_DIR) /
                                     "../shared/data/nas-bench-macro/nas-bench-macro_cifar10.json";
  std::ifstream in(file);
  const nlohmann::json known = nlohmann::json::parse(in);
  EXPECT_EQ(nas_bench_macro().space().size(), static_cast<double>(known.size()));
  for (const std::string digits : {"00000000", "11111111", "22222222", "20100210", "02012100"}) {
    const ir::Graph graph =
        ir::infer_shapes(nas_bench_macro().network(point_of(digits), Random(1)));
    const ir::NodeSize size = ir::size_of_graph(graph);
    EXPECT_EQ(size.parameters, known[digits]["params"].get<std::int64_t>()) << digits;
    EXPECT_EQ(size.macs, known[digits]["flops"].get<std::int64_t>()) << digits;
  }
}

TEST(NasBenchMacro, BuildsNetworksThatCompile) {
  test::expect_networks(nas_bench_macro(), 50, {"N", 10});
}

TEST(NasBenchMacro, LabelsBlocksByWhatTheyAreAndWhereTheyStand) {
  const LabelledGraph graph = nas_bench_macro().labelled(point_of("01200000"));
  ASSERT_EQ(graph.labels.size(), 10u);
  EXPECT_EQ(graph.labels[1], "identity 64 /2");
  EXPECT_EQ(graph.labels[2], "mb3_k3 64 /1");
  EXPECT_EQ(graph.labels[3], "mb6_k5 128 /2");
  EXPECT_EQ(graph.edges.size(), 9u);
}

}  // namespace
}  // namespace xgen::search
