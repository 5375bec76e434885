#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "codegen/targets.h"
#include "core/ir/infer_shapes.h"
#include "core/ir/node_size.h"
#include "core/ir/verify.h"
#include "core/onnx/export.h"
#include "core/onnx/import.h"
#include "search/candidate_cost.h"
#include "search/labelled_graph.h"
#include "search/space.h"
#include "tests/support/temporary_folder.h"

namespace xgen::test {

/// Draws points of a space and expects of each that its network is a valid graph with one output of
/// this shape, that the target x86_64 compiles it, and that its labels make a graph.
template <class AnySpace>
void expect_networks(const AnySpace& any, int samples, const ir::Shape& output) {
  const Target target = find_target("x86_64");
  const latency::LatencyTable table({"x86_64", "x86-avx512-vnni", "", ""}, {});
  const search::Space space = any.space();
  RandomStream random = Random(3).stream("samples");
  std::set<search::GraphFeatures> features;
  std::set<search::Point> points;
  const TemporaryFolder folder;
  for (int i = 0; i < samples; ++i) {
    const search::Point point = space.sample(random);
    std::string choices;
    for (std::size_t k = 0; k < point.size(); ++k)
      choices += " " + space.parameters[k].choices[static_cast<std::size_t>(point[k])];
    SCOPED_TRACE(choices);
    const ir::Graph graph = ir::infer_shapes(any.network(point, std::nullopt));
    ir::verify(graph, "network");
    ASSERT_EQ(graph.outputs().size(), 1U);
    EXPECT_EQ(*graph.value(graph.outputs()[0]).type.shape, output);
    EXPECT_GT(search::cost_of(graph, target, table).latency.us, 0);
    if (i % 10 == 0) {
      // With weights it is the same network, also when it comes back from the file of a trial.
      const ir::Graph drawn = ir::infer_shapes(any.network(point, Random(1)));
      EXPECT_EQ(ir::size_of_graph(drawn).macs, ir::size_of_graph(graph).macs);
      EXPECT_EQ(ir::size_of_graph(drawn).parameters, ir::size_of_graph(graph).parameters);
      export_onnx(drawn, folder / "candidate.onnx");
      const ir::Graph read = import_onnx(folder / "candidate.onnx");
      EXPECT_EQ(ir::size_of_graph(read).macs, ir::size_of_graph(graph).macs);
      EXPECT_EQ(ir::size_of_graph(read).parameters, ir::size_of_graph(graph).parameters);
    }
    const search::LabelledGraph labelled = any.labelled(point);
    features.insert(search::weisfeiler_lehman(labelled, 2));
    points.insert(point);
  }
  EXPECT_EQ(features.size() > 1, points.size() > 1);
}

}  // namespace xgen::test
