#include "core/onnx/read_masks.h"

#include <nlohmann/json.hpp>

#include "core/onnx/sparsity_json.h"
#include "tests/core/onnx/model_builder.h"

namespace xgen {
namespace {

/// x [N, 4, 3, 3] -> convolution to 2 channels of one position -> y = fc(c), stored transposed.
class ReadMasks : public OnnxTest {
 protected:
  void SetUp() override {
    OnnxTest::SetUp();
    input("x", {-1, 4, 3, 3});
    std::vector<float> conv(72, 0.0F);
    for (std::size_t i = 0; i < 9; ++i) conv[i] = conv[63 + i] = 1;  // filters 0 and 1 of 0 and 3
    floats("conv.w", {2, 4, 3, 3}, conv);
    floats("fc.w", {2, 3}, {1, 2, 3, 0, 0, 0});  // of the first channel alone
    node("Conv", "conv", {"x", "conv.w"}, "c");
    node("Flatten", "flat", {"c"}, "f");
    node("MatMul", "fc", {"f", "fc.w"}, "y");
    output("y");
    masks_ = {
        {"conv.w", to_json({Sparsity::Scheme::block, 1, 1, all_, {0, -1, -1, -1, -1, -1, -1, 0}})},
        {"fc.w", to_json({Sparsity::Scheme::nm, 3, 1, {{{1}}}, {0, -1}})}};
  }
  ir::Graph read() {
    model_.clear_metadata_props();
    auto* entry = model_.add_metadata_props();
    entry->set_key("xgen.sparsity");
    entry->set_value(masks_.dump());
    return import();
  }
  // What is said of a file with these masks, after "metadata ...: ".
  std::string refusal() {
    try {
      read();
    } catch (const UserError& error) {
      const std::string text = error.what(),
                        start = path_.string() + ": metadata \"xgen.sparsity\", weight ";
      return text.rfind(start, 0) == 0 ? text.substr(start.size()) : "ELSEWHERE: " + text;
    }
    return "accepted";
  }

  const PatternSet all_{{{0b111'111'111}}};
  nlohmann::json masks_;
};

TEST_F(ReadMasks, OfConvolutionsAndOfMatricesEitherWay) {
  ir::Graph back = read();
  EXPECT_EQ(to_json(*back.value(back.find("conv.w")).sparsity), masks_["conv.w"]);
  EXPECT_EQ(to_json(*back.value(back.find("fc.w")).sparsity), masks_["fc.w"]);
  // The same matrix, stored with filters first.
  graph().mutable_node(2)->set_op_type("Gemm");
  set(*graph().mutable_node(2), "transB", std::int64_t{1});
  auto& fc = *graph().mutable_initializer(1);
  fc.set_dims(0, 3);
  fc.set_dims(1, 2);
  fc.clear_float_data();
  for (const float w : {1.0F, 0.0F, 2.0F, 0.0F, 3.0F, 0.0F}) fc.add_float_data(w);
  back = read();
  EXPECT_EQ(to_json(*back.value(back.find("fc.w")).sparsity), masks_["fc.w"]);
}

TEST_F(ReadMasks, OfQuantizedWeights) {
  // fc.w as int8 with its scale, as an exported model has it.
  auto& fc = *graph().mutable_initializer(1);
  fc.set_data_type(onnx::TensorProto::INT8);
  fc.clear_float_data();
  for (const int w : {1, 2, 3, 0, 0, 0}) fc.add_int32_data(w);
  floats("scale", {}, {0.5F});
  auto& dequantize = *graph().add_node();
  dequantize.set_op_type("DequantizeLinear");
  dequantize.add_input("fc.w");
  dequantize.add_input("scale");
  dequantize.add_output("fc.real");
  graph().mutable_node(2)->set_input(1, "fc.real");
  graph().mutable_node()->SwapElements(2, 3);
  const ir::Graph read_back = read();
  EXPECT_EQ(to_json(*read_back.value(read_back.find("fc.w")).sparsity), masks_["fc.w"]);
  fc.set_int32_data(3, 1);
  EXPECT_EQ(
      refusal(),
      "\"fc.w\": expected zeros where the mask drops weights, got another number at element 3 "
      "of [2, 3]; the mask is of another model, or the weights were trained without it");
}

TEST_F(ReadMasks, RefuseAMaskOfAnotherModel) {
  masks_["con.w"] = masks_["conv.w"];
  EXPECT_EQ(refusal(),
            "\"con.w\": the model has no such weight, so the mask is of another; did you mean "
            "\"conv.w\"?");
  masks_.erase("con.w");
  masks_["x"] = masks_["conv.w"];
  EXPECT_EQ(refusal(), "\"x\": the model has no such weight, so the mask is of another");
  masks_.erase("x");
  const nlohmann::json fitting = masks_;
  masks_["conv.w"]["kept"] = {0, 0, 0, 0, 0, 0};
  EXPECT_EQ(refusal(),
            "\"conv.w\": expected a mask of 8 blocks of 1 filters x 1 channels, and patterns of 9 "
            "taps for [2, 4, 3, 3], got 6 blocks and 1 patterns; the mask is of another model");
  masks_ = fitting;
  masks_["conv.w"]["patterns"] = {0b1'111'111'111};
  EXPECT_EQ(refusal(),
            "\"conv.w\": expected a mask of 8 blocks of 1 filters x 1 channels, and patterns of 9 "
            "taps for [2, 4, 3, 3], got 8 blocks and 1 patterns; the mask is of another model");
  masks_ = fitting;
  masks_["conv.w"]["kept"] = {0, -1, -1, -1, -1, -1, 0, -1};
  EXPECT_EQ(
      refusal(),
      "\"conv.w\": expected zeros where the mask drops weights, got another number at element "
      "63 of [2, 4, 3, 3]; the mask is of another model, or the weights were trained without "
      "it");
  masks_ = fitting;
  masks_["fc.w"]["kept"] = {-1, 0};  // as filters x channels; stored the other way round
  EXPECT_EQ(
      refusal(),
      "\"fc.w\": expected zeros where the mask drops weights, got another number at element 0 "
      "of [2, 3]; the mask is of another model, or the weights were trained without it");
}

}  // namespace
}  // namespace xgen
