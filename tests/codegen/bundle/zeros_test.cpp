#include <gtest/gtest.h>

#include <map>

#include "codegen/bundle/bundle.h"
#include "codegen/compile.h"
#include "codegen/targets.h"
#include "core/ir/infer_shapes.h"
#include "core/ir/rewrite/shrink_channels.h"
#include "core/onnx/export.h"
#include "core/onnx/import.h"
#include "core/sha256.h"
#include "tests/support/channels.h"
#include "tests/support/random_graph.h"
#include "tests/support/stored_weights.h"
#include "tests/support/temporary_folder.h"

/// Zeros on their way: masks, a model file read again, a bundle's weights.
namespace xgen {
namespace {

using ir::ValueId;

// A layer with what is kept of its weight.
struct Layer {
  WeightShape shape;
  Sparsity mask;
  bool transposed = false;
};

/// thin1, thin2 (some of their channels are removed) -> pattern 3x3 -> block 1x1 -> nm 3x3 ->
/// punched 3x3 -> single weights 3x3 -> pool -> fc, blocks of a matrix that is stored transposed.
class Zeros : public ::testing::Test {
 protected:
  Zeros() {
    ir::Graph graph;
    graph.name = "zeros";
    ValueId x = graph.add_input("x", {ir::DType::f32, ir::Shape{1, 4, 10, 10}, {}});
    x = conv(graph, "thin1", x, {4, 12, 3, 3});
    x = conv(graph, "thin2", x, {12, 16, 3, 3});
    const PatternSet quads{{{0b000'011'011}, {0b011'110'000}, {0b010'111'000}}};
    const PatternSet all{{{0b111'111'111}}}, one{{{1}}};
    const PatternSet punched{{{0b000'000'001}, {0b011'110'100}, {0b111'111'111}}};
    x = conv(graph, "pattern", x, {16, 16, 3, 3});
    x = conv(graph, "block", x, {16, 32, 1, 1});
    x = conv(graph, "nm", x, {32, 16, 3, 3});
    x = conv(graph, "punched", x, {16, 16, 3, 3});
    x = conv(graph, "single", x, {16, 16, 3, 3});
    x = graph.add_node("pool", ir::GlobalAveragePool{}, {x});
    x = graph.add_node("flat", ir::Flatten{}, {x});
    x = graph.add_node("fc", ir::MatMul{},
                       {x, graph.add_constant("fc.w", random_.f32({16, 10}, 0.5F, 1))});
    graph.set_outputs({x});
    thin(ir::infer_shapes(std::move(graph)));
    mask("pattern", Sparsity::Scheme::pattern, 8, quads, 2);
    mask("block", Sparsity::Scheme::block, 4, one, 2);
    mask("nm", Sparsity::Scheme::nm, 8, all, 2);
    mask("punched", Sparsity::Scheme::block, 8, punched, 3);
    mask("single", Sparsity::Scheme::unstructured, 1, punched, 3);
    mask("fc", Sparsity::Scheme::block, 16, one, 2);
  }

  // The layer's zeros as one number: of its positions in the order [c_out, c_in, kh, kw].
  static std::string hash(const std::vector<std::uint8_t>& kept) {
    return sha256_hex({reinterpret_cast<const char*>(kept.data()), kept.size()});
  }
  std::string hash_of_mask(const std::string& node) const {
    const Layer& layer = layers_.at(node);
    return hash(expand_mask(layer.mask, layer.shape));
  }
  std::string hash_of_constant(const ir::Graph& graph, const std::string& node) const {
    const Layer& layer = layers_.at(node);
    const auto values = graph.constant(graph.find(node + ".w"))->as<float>();
    std::vector<std::uint8_t> kept;
    const auto rows = static_cast<std::size_t>(layer.shape.c_out),
               columns = static_cast<std::size_t>(layer.shape.c_in * layer.shape.taps());
    for (std::size_t i = 0; i < values.size(); ++i)
      kept.push_back(values[layer.transposed ? i % columns * rows + i / columns : i] != 0 ? 1 : 0);
    return hash(kept);
  }

  test::RandomTensors random_{3};
  std::map<std::string, Layer> layers_;
  ir::Graph graph_;
  int thinned_ = 0;  // channels of thin1 that are left

 private:
  ValueId conv(ir::Graph& graph, const std::string& name, ValueId from, const ir::Extents& e) {
    ir::Conv op;
    op.pads = {e[2] / 2, e[2] / 2, e[2] / 2, e[2] / 2};
    const ValueId w =
        graph.add_constant(name + ".w", random_.f32({e[1], e[0], e[2], e[3]}, 0.5F, 1));
    return graph.add_node(name, op, {from, w});
  }
  void thin(const ir::Graph& graph) {
    std::vector<ir::ChannelUnit> removed;
    for (const ir::ChannelGroup& group : ir::channel_groups(graph)) {
      if (group.producers == std::vector<std::string>{"thin1"})
        removed.assign(group.units.begin() + 2, group.units.begin() + 6);
    }
    graph_ = ir::shrink_channels(graph, removed);
    for (const ir::Node& node : graph_.nodes()) {
      const ir::Constant* w = graph_.constant(node.input(1));
      if (w == nullptr) continue;
      const auto at = [&](std::size_t i) { return static_cast<int>(w->shape[i]); };
      if (node.as<ir::Conv>() != nullptr)
        layers_[node.name] = {{at(0), at(1), at(2), at(3)}, {}};
      else
        layers_[node.name] = {{at(1), at(0), 1, 1}, {}, true};
    }
    thinned_ = layers_["thin1"].shape.c_out;
  }
  // One of `out_of` blocks is dropped in each row of them, another one in each.
  void mask(const std::string& node, Sparsity::Scheme scheme, int group, const PatternSet& patterns,
            int out_of) {
    Layer& layer = layers_.at(node);
    Sparsity s{scheme, group, 1, patterns, {}};
    for (int g = 0; g < layer.shape.groups(s); ++g) {
      for (int lane = 0; lane < layer.shape.lanes(s); ++lane) {
        const bool dropped = lane % out_of == g % out_of;
        s.kept.push_back(dropped ? Sparsity::kNone : random_.below(patterns.size()));
      }
    }
    layer.mask = s;
    const ValueId id = graph_.find(node + ".w");
    ir::Constant weight = *graph_.constant(id);
    const auto kept = expand_mask(s, layer.shape);
    const auto rows = static_cast<std::size_t>(layer.shape.c_out),
               columns = static_cast<std::size_t>(layer.shape.c_in * layer.shape.taps());
    for (std::size_t i = 0; i < kept.size(); ++i) {
      if (kept[i] == 0)
        weight.as_mutable<float>()[layer.transposed ? i % columns * rows + i / columns : i] = 0;
    }
    graph_.set_constant(id, std::move(weight));
    graph_.value(id).sparsity = s;
  }
};

TEST_F(Zeros, AreTheSameFromTheMaskToTheBundle) {
  EXPECT_EQ(thinned_, 8);
  const test::TemporaryFolder folder;
  export_onnx(graph_, folder / "model.onnx");
  const ir::Graph read = import_onnx(folder / "model.onnx");
  CompileOptions options;
  options.target = find_target("host");
  const CompiledModel model = compile(read, options);
  bundle::write_bundle(model, folder / "bundle");
  const std::string weights = test::contents(folder / "bundle" / "weights.bin");
  ASSERT_FALSE(weights.empty());
  for (const auto& [node, layer] : layers_) {
    SCOPED_TRACE(node);
    const ir::Value& weight = read.value(read.find(node + ".w"));
    if (layer.mask.scheme != Sparsity::Scheme::dense) {
      EXPECT_EQ(weight.sparsity, layer.mask);
    } else {
      EXPECT_FALSE(weight.sparsity);
    }
    const std::string want = hash_of_mask(node);
    EXPECT_EQ(hash_of_constant(graph_, node), want);
    EXPECT_EQ(hash_of_constant(read, node), want);
    EXPECT_EQ(hash(test::stored_weights(model.program, weights, node, layer.shape)), want);
    const bool multiplies_zeros = layer.mask.scheme == Sparsity::Scheme::unstructured;
    EXPECT_EQ(test::conv_step(model.program, node).scheme,
              multiplies_zeros ? "dense" : name_of(layer.mask.scheme));
  }
  // Whoever loses against its dense twin stores the same zeros.
  const Program dense = lower_dense(model, nullptr);
  const std::string stored(reinterpret_cast<const char*>(dense.weights.data()),
                           dense.weights.size());
  for (const auto& [node, layer] : layers_)
    EXPECT_EQ(hash(test::stored_weights(dense, stored, node, layer.shape)), hash_of_mask(node));
}

}  // namespace
}  // namespace xgen
