#include "core/ir/print.h"
#include "tests/core/onnx/model_builder.h"

namespace xgen {
namespace {

/// Forms of operators in different opsets, brought to the newest.
class ImportOperators : public OnnxTest {
 protected:
  /// The nodes of the imported graph.
  std::string nodes() {
    output("y");
    const std::string text = ir::print(import());
    return text.substr(text.find('\n') + 1);
  }
};

TEST_F(ImportOperators, AttributesOfOldOpsetsBecomeConstants) {
  set_opset(9);
  input("x", {-1, 6, 4});
  auto& slice = node("Slice", "s", {"x"}, "a");
  set(slice, "starts", std::vector<std::int64_t>{1});
  set(slice, "ends", std::vector<std::int64_t>{5});
  set(slice, "axes", std::vector<std::int64_t>{1});
  auto& unsqueeze = node("Unsqueeze", "u", {"a"}, "b");
  set(unsqueeze, "axes", std::vector<std::int64_t>{1});
  auto& clip = node("Clip", "c", {"b"}, "d");
  set(clip, "max", 6.0F);
  auto& squeeze = node("Squeeze", "q", {"d"}, "e");
  set(squeeze, "axes", std::vector<std::int64_t>{1});
  auto& mean = node("ReduceMean", "m", {"e"}, "y");
  set(mean, "axes", std::vector<std::int64_t>{2});
  set(mean, "keepdims", std::int64_t{0});
  EXPECT_EQ(nodes(),
            "  a: f32 [N, 4, 4] = Slice(x, i64 {1}, i64 {5}, i64 {1})  # s\n"
            "  b: f32 [N, 1, 4, 4] = Unsqueeze(a, i64 {1})  # u\n"
            "  d: f32 [N, 1, 4, 4] = Clip(b) high=6  # c\n"
            "  e: f32 [N, 4, 4] = Squeeze(d, i64 {1})  # q\n"
            "  y: f32 [N, 4] = ReduceMean(e, i64 {2}) keep_dims=0  # m\n");
}

TEST_F(ImportOperators, SplitBecomesSlices) {
  input("x", {-1, 5, 2});
  integers("sizes", {2, 3});
  auto& given = node("Split", "s", {"x", "sizes"}, "a");
  given.add_output("b");
  set(given, "axis", std::int64_t{-2});
  auto& equal = node("Split", "t", {"b"}, "");
  equal.set_output(0, "c");
  equal.add_output("y");
  set(equal, "axis", std::int64_t{1});
  EXPECT_EQ(nodes(),
            "  b: f32 [N, 3, 2] = Slice(x, i64 {2}, i64 {5}, i64 {1})  # s.part_1\n"
            "  y: f32 [N, 1, 2] = Slice(b, i64 {2}, i64 {3}, i64 {1})  # t.part_1\n");
}

TEST_F(ImportOperators, SplitBefore13HasItsSizesAsAttribute) {
  set_opset(11);
  input("x", {-1, 6});
  auto& split = node("Split", "s", {"x"}, "a");
  split.add_output("y");
  set(split, "axis", std::int64_t{1});
  set(split, "split", std::vector<std::int64_t>{1, 5});
  EXPECT_EQ(nodes(), "  y: f32 [N, 5] = Slice(x, i64 {1}, i64 {6}, i64 {1})  # s.part_1\n");
}

TEST_F(ImportOperators, SplitRefusesSizesThatDoNotAddUp) {
  input("x", {-1, 6});
  integers("sizes", {2, 3});
  auto& split = node("Split", "s", {"x", "sizes"}, "a");
  split.add_output("y");
  set(split, "axis", std::int64_t{1});
  output("y");
  EXPECT_EQ(message(), "node \"s\" (Split, opset 13): splits 6 into 2 parts of 5 for 2 outputs");
}

TEST_F(ImportOperators, ClipReadsItsBoundsFromInputs) {
  input("x", {-1, 2});
  floats("six", {}, {6});
  node("Clip", "c", {"x", "", "six"}, "y");
  EXPECT_EQ(nodes(), "  y: f32 [N, 2] = Clip(x) high=6  # c\n");
}

TEST_F(ImportOperators, SoftmaxBefore13WorksOnRows) {
  set_opset(11);
  input("x", {2, 3, 4});
  node("Softmax", "s", {"x"}, "y");
  EXPECT_EQ(nodes(),
            "  s.rows: f32 [2, 12] = Flatten(x) axis=1\n"
            "  s.softmax: f32 [2, 12] = Softmax(s.rows) axis=1\n"
            "  y: f32 [2, 3, 4] = Reshape(s.softmax, i64 {2, 3, 4})  # s\n");
}

TEST_F(ImportOperators, SoftmaxAlongTheLastAxisIsTheSameInAllOpsets) {
  set_opset(11);
  input("x", {-1, 4});
  node("Softmax", "s", {"x"}, "y");
  EXPECT_EQ(nodes(), "  y: f32 [N, 4] = Softmax(x) axis=1  # s\n");
}

TEST_F(ImportOperators, AutoPadIsResolved) {
  input("x", {-1, 1, 5, 6});
  floats("w", {1, 1, 3, 3}, std::vector<float>(9));
  auto& upper = node("Conv", "u", {"x", "w"}, "a");
  set(upper, "auto_pad", "SAME_UPPER");
  set(upper, "strides", std::vector<std::int64_t>{2, 2});
  auto& lower = node("Conv", "l", {"x", "w"}, "b");
  set(lower, "auto_pad", "SAME_LOWER");
  set(lower, "strides", std::vector<std::int64_t>{2, 2});
  node("Add", "s", {"a", "b"}, "c");
  auto& valid = node("MaxPool", "p", {"c"}, "y");
  set(valid, "auto_pad", "VALID");
  set(valid, "kernel_shape", std::vector<std::int64_t>{2, 2});
  EXPECT_EQ(nodes(),
            "  a: f32 [N, 1, 3, 3] = Conv(x, w: f32 [1, 1, 3, 3]) strides=2,2 pads=1,0,1,1  # u\n"
            "  b: f32 [N, 1, 3, 3] = Conv(x, w: f32 [1, 1, 3, 3]) strides=2,2 pads=1,1,1,0  # l\n"
            "  c: f32 [N, 1, 3, 3] = Add(a, b)  # s\n"
            "  y: f32 [N, 1, 2, 2] = MaxPool(c) kernel=2,2  # p\n");
}

TEST_F(ImportOperators, PadWithAxesIsSpreadOverAllAxes) {
  set_opset(18);
  input("x", {-1, 2, 3});
  integers("pads", {1, 2});
  integers("axes", {-1});
  node("Pad", "p", {"x", "pads", "", "axes"}, "y");
  EXPECT_EQ(nodes(), "  y: f32 [N, 2, 6] = Pad(x, i64 {0, 0, 1, 0, 0, 2})  # p\n");
}

TEST_F(ImportOperators, UpsampleIsAResize) {
  set_opset(9);
  input("x", {-1, 2, 3, 4});
  floats("s", {4}, {1, 1, 2, 2});
  set(node("Upsample", "u", {"x", "s"}, "y"), "mode", "nearest");
  EXPECT_EQ(nodes(),
            "  y: f32 [N, 2, 6, 8] = Resize(x, _, f32 {1, 1, 2, 2}) nearest asymmetric floor  # "
            "u\n");
}

TEST_F(ImportOperators, ManyOperandsBecomePairs) {
  input("x", {-1, 2});
  node("Max", "m", {"x", "x", "x"}, "y");
  EXPECT_EQ(nodes(),
            "  m.part1: f32 [N, 2] = Max(x, x)\n"
            "  y: f32 [N, 2] = Max(m.part1, x)  # m\n");
}

TEST_F(ImportOperators, QuantizationTakesItsTypeFromTheAttribute) {
  set_opset(21);
  input("x", {-1, 2});
  floats("s", {}, {0.5F});
  set(node("QuantizeLinear", "q", {"x", "s"}, "a"), "output_dtype",
      std::int64_t{onnx::TensorProto::INT8});
  node("DequantizeLinear", "d", {"a", "s"}, "y");
  EXPECT_EQ(nodes(),
            "  a: i8 [N, 2] = QuantizeLinear(x, f32 0.5, i8 0)  # q\n"
            "  y: f32 [N, 2] = DequantizeLinear(a, f32 0.5)  # d\n");
}

TEST_F(ImportOperators, RefusesWhatItCannotExpress) {
  input("x", {-1, 2, 8});
  floats("w", {2, 2, 3}, std::vector<float>(12));
  auto& conv = node("Conv", "c", {"x", "w"}, "y");
  output("y");
  EXPECT_EQ(message(),
            "node \"c\" (Conv, opset 13): a 1-dimensional convolution is not supported, only "
            "2-dimensional ones");
  conv.set_op_type("Pad");
  set(conv, "mode", "reflect");
  EXPECT_EQ(message(),
            "node \"c\" (Pad, opset 13): mode \"reflect\" is not supported, only constant");
  conv.clear_attribute();
  conv.set_op_type("Dropout");
  conv.mutable_input()->RemoveLast();
  conv.add_output("mask");
  node("Relu", "r", {"mask"}, "z");
  EXPECT_EQ(message(),
            "node \"c\" (Dropout, opset 13): output 1 (\"mask\") is not supported, only the first");
}

}  // namespace
}  // namespace xgen
