#include "core/onnx/export.h"

#include <algorithm>

#include "core/ir/infer_shapes.h"
#include "core/ir/print.h"
#include "tests/core/onnx/model_builder.h"

namespace xgen {
namespace {

using ir::Constant;
using ir::DType;
using ir::Graph;
using ir::ValueId;

class ExportOnnx : public OnnxTest {
 protected:
  Graph graph_with_input(const ir::Shape& shape) {
    Graph g;
    g.name = "g";
    g.add_input("x", {DType::f32, shape, {}});
    return g;
  }
};

ValueId integer_constant(Graph& g, const std::string& name,
                         const std::vector<std::int64_t>& values) {
  return g.add_constant(
      name, Constant::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
}

TEST_F(ExportOnnx, ReadsBackAsTheSameGraph) {
  Graph g = graph_with_input({"N", 4, 8, 8});
  const ValueId w = g.add_constant(
      "w", Constant::of<float>({4, 2, 3, 3}, std::vector<float>(72, 0.5F), ir::Role::parameter));
  ir::Conv conv;
  conv.pads = {1, 0, 1, 2};
  conv.strides = {2, 1};
  conv.groups = 2;
  ValueId v = g.add_node("conv", conv, {0, w});
  const ValueId s = g.add_constant("s", Constant::of<float>({4}, {1, 2, 3, 4}));
  v = g.add_node("bn", ir::BatchNorm{}, {v, s, s, s, s});
  ir::Unary clip;
  clip.kind = ir::Unary::Kind::clip;
  clip.high = 6;
  v = g.add_node("clip", clip, {v});
  ir::AveragePool pool;
  pool.kernel = {2, 2};
  pool.ceil_mode = true;
  pool.count_include_pad = true;
  v = g.add_node("pool", pool, {v});
  ir::Resize resize;
  resize.mode = ir::Resize::Mode::linear;
  const ValueId scales = g.add_constant("scales", Constant::of<float>({4}, {1, 1, 2, 2}));
  v = g.add_node("resize", resize, {v, ir::kNoValue, scales});
  v = g.add_node("mean", ir::Reduce{}, {v, integer_constant(g, "axes", {2})});
  const ValueId half = g.add_constant("half", Constant::scalar(0.5F));
  const ValueId zero = g.add_constant("zero", Constant::scalar<std::uint8_t>(3));
  v = g.add_node("q", ir::QuantizeLinear{}, {v, half, zero});
  v = g.add_node("dq", ir::DequantizeLinear{}, {v, half, zero});
  v = g.add_node("turn", ir::Transpose{{0, 3, 1, 2}}, {v});
  v = g.add_node("cut", ir::Slice{},
                 {v, integer_constant(g, "b", {0}), integer_constant(g, "e", {3}),
                  integer_constant(g, "a", {1})});
  v = g.add_node("flat", ir::Flatten{}, {v});
  v = g.add_node("soft", ir::Softmax{}, {v});
  g.set_outputs({v});
  g = ir::infer_shapes(g);
  export_onnx(g, path_, {{"note", "hello"}});
  const OnnxModel back = import_onnx_model(path_);
  EXPECT_EQ(back.opset, 13);
  EXPECT_EQ(back.metadata.at("note"), "hello");
  // The axes of ReduceMean are an attribute in opset 13, so that their constant has another name.
  EXPECT_EQ(ir::print(back.graph), ir::print(g));
  const auto before = g.constant(w)->as<float>();
  const auto after = back.graph.constant(back.graph.find("w"))->as<float>();
  EXPECT_TRUE(std::equal(before.begin(), before.end(), after.begin(), after.end()));
  EXPECT_EQ(back.graph.constant(back.graph.find("w"))->role, ir::Role::parameter);
}

TEST_F(ExportOnnx, WritesTheSameBytesForTheSameGraph) {
  Graph g = graph_with_input({"N", 4});
  g.set_outputs({g.add_node("y", ir::Unary{}, {0})});
  g = ir::infer_shapes(g);
  const auto read = [&] {
    export_onnx(g, path_);
    std::ifstream file(path_, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  EXPECT_EQ(read(), read());
}

TEST_F(ExportOnnx, TakesSiluAndHardSwishApart) {
  Graph g = graph_with_input({"N", 4});
  const ValueId s = g.add_node("s", ir::Unary{ir::Unary::Kind::silu}, {0});
  g.set_outputs({g.add_node("y", ir::Unary{ir::Unary::Kind::hard_swish}, {s})});
  export_onnx(ir::infer_shapes(g), path_);
  EXPECT_EQ(ir::print(import_onnx(path_)),
            "g(x: f32 [N, 4]) -> y\n"
            "  s.gate: f32 [N, 4] = Sigmoid(x)\n"
            "  s: f32 [N, 4] = Mul(x, s.gate)\n"
            "  y.gate: f32 [N, 4] = HardSigmoid(s) alpha=0.166667 beta=0.5\n"
            "  y: f32 [N, 4] = Mul(s, y.gate)\n");
}

TEST_F(ExportOnnx, TakesALaterOpsetWhereItMust) {
  Graph g = graph_with_input({"N", 1, 8, 8});
  ir::AveragePool pool;
  pool.kernel = {2, 2};
  pool.dilations = {2, 2};
  const ValueId p = g.add_node("p", pool, {0});
  g.set_outputs({g.add_node("y", ir::Reduce{}, {p, integer_constant(g, "axes", {2, 3})})});
  g = ir::infer_shapes(g);
  export_onnx(g, path_);
  EXPECT_EQ(import_onnx_model(path_).opset, 19);
  EXPECT_EQ(ir::print(import_onnx(path_)), ir::print(g));
}

TEST_F(ExportOnnx, KeepsMasks) {
  Graph g = graph_with_input({"N", 4});
  const ValueId w = g.add_constant("w", Constant::of<float>({4, 2}, {1, 2, 0, 0, 0, 0, 1, 2}));
  Sparsity mask;
  mask.scheme = Sparsity::Scheme::block;
  mask.group_out = 2;
  mask.patterns.patterns = {Pattern{1}};
  mask.kept = {0, Sparsity::kNone, Sparsity::kNone, 0};
  g.value(w).sparsity = mask;
  g.set_outputs({g.add_node("y", ir::MatMul{}, {0, w})});
  export_onnx(ir::infer_shapes(g), path_);
  const OnnxModel back = import_onnx_model(path_);
  EXPECT_EQ(back.graph.value(back.graph.find("w")).sparsity, mask);
  EXPECT_TRUE(back.metadata.empty());
}

TEST_F(ExportOnnx, RefusesABrokenMask) {
  input("x", {-1, 2});
  floats("w", {2}, {1, 2});
  node("Add", "a", {"x", "w"}, "y");
  output("y");
  auto* entry = model_.add_metadata_props();
  entry->set_key("xgen.sparsity");
  entry->set_value("{\"w\": {\"scheme\": \"magic\"}}");
  EXPECT_EQ(message(),
            "metadata \"xgen.sparsity\", weight \"w\": sparsity scheme \"magic\" is unknown");
  entry->set_value("nonsense");
  EXPECT_EQ(message(), "metadata \"xgen.sparsity\": not a JSON object");
}

}  // namespace
}  // namespace xgen
