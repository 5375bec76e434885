#include <gmock/gmock.h>

#include "tests/search/spaces/model_fixture.h"

namespace xgen::search {
namespace {

using namespace test_models;
using ::testing::HasSubstr;

TEST(ModelSpace, RefusesConfigsThatSayNothingClear) {
  EXPECT_EQ(message_of(json::object()), "s.json: /: expected exactly one of \"onnx\", \"zoo\"");
  EXPECT_EQ(message_of({{"onnx", "a.onnx"}, {"classes", 10}}),
            "s.json: /classes: expected none: an ONNX file has its own");
  EXPECT_EQ(message_of({{"zoo", "resnet20"}, {"operators", {"keep", "dw3x3-1x1"}}}),
            "s.json: /operators: expected \"keep\", \"skip\" or layers like \"1x1\" or "
            "\"dw3x3+1x1\" (kernels of 1, 3, 5 or 7), got \"dw3x3-1x1\"");
  EXPECT_EQ(message_of({{"zoo", "resnet20"}, {"operators", {"1x3"}}}).substr(0, 26),
            "s.json: /operators: expect");
  EXPECT_EQ(message_of({{"zoo", "resnet20"}, {"blocks", {"skp"}}}),
            "s.json: /blocks: expected one of \"keep\", \"skip\", got \"skp\"; did you mean "
            "\"skip\"?");
  EXPECT_EQ(message_of({{"zoo", "resnet20"}, {"activations", {"relu7"}}}),
            "s.json: /activations: expected one of \"keep\", \"relu\", \"relu6\", \"hard_swish\", "
            "got \"relu7\"; did you mean \"relu\"?");
  EXPECT_EQ(message_of({{"zoo", "resnet20"}, {"widths", {1, 0.5, 1}}}),
            "s.json: /widths: \"1\" stands there twice");
  EXPECT_EQ(message_of({{"zoo", "resnet20"}, {"widths", {0}}}),
            "s.json: /widths/0: expected a number in [0.01, 1], got 0");
}

TEST(ModelSpace, RefusesAModelWhoseBatchIsFixedOrThatIsPruned) {
  EXPECT_EQ(OtherInput({2, 3, 8, 8}).message(json::object()).substr(0, 52),
            "F/n.onnx: cannot be trained: its batch is fixed: inp");
  ir::Graph graph = small_net();
  const Sparsity mask{
      Sparsity::Scheme::block, 8, 1, {{Pattern{0b111'111'111}}}, {0, 0, Sparsity::kNone}};
  const ir::ValueId weight = graph.find("conv1.weight");
  ir::Constant pruned = *graph.constant(weight);
  for (std::size_t i = 0; i < std::size_t{8} * 27; ++i) {
    if (i % 27 >= 18) pruned.as_mutable<float>()[i] = 0;
  }
  graph.set_constant(weight, std::move(pruned));
  graph.value(weight).sparsity = mask;
  const test::TemporaryFolder folder;
  export_onnx(graph, folder / "n.onnx");
  EXPECT_EQ(message_of({{"onnx", "n.onnx"}}, folder.path()),
            "F/n.onnx: weight \"conv1.weight\" has a mask; expected the model as it was before it "
            "was pruned");
}

TEST(ModelSpace, RefusesModelsThatCannotBeChangedSo) {
  EXPECT_THAT(message_of({{"onnx", "none.onnx"}}), HasSubstr("F/none.onnx: "));
  EXPECT_EQ(
      message_of({{"zoo", "resnet20"}, {"activations", {"keep", "relu"}}}),
      "zoo model \"resnet20\": \"activations\": expected a model with SiLU, GELU, hard swish, "
      "tanh or sigmoid, got none");
  EXPECT_EQ(message_of({{"zoo", "vgg16_bn"}, {"blocks", {"keep", "skip"}}}),
            "zoo model \"vgg16_bn\": \"blocks\": expected a model with residual blocks that keep "
            "the shape, got none");
  EXPECT_EQ(message_of({{"zoo", "digits_cnn"}, {"widths", {1, 0.5}}, {"exclude", {"*"}}}),
            "zoo model \"digits_cnn\": \"widths\": expected a model with channels that can be "
            "removed, got none");
  EXPECT_EQ(message_of({{"zoo", "digits_cnn"}, {"operators", {"keep", "skip"}}}),
            "zoo model \"digits_cnn\": \"operators\": expected a model with convolutions in whose "
            "place one fits, got none");
  EXPECT_THAT(message_of({{"zoo", "lenet5"}, {"resolutions", {28, 24}}}),
              HasSubstr("zoo model \"lenet5\": \"resolutions\": cannot take images of 24x24: node "
                        "\"fc1\" (Gemm): "));
  train::NetBuilder net("n", 3, 9, 9, Random(1));
  net.conv("c", 4, {});
  ir::Graph dense_output = net.from(net.current(), 4).average_pool_to_features("p").finish(2);
  dense_output.set_outputs({dense_output.find("c")});
  const test::TemporaryFolder folder;
  ir::Graph matrix;
  const ir::ValueId x = matrix.add_input("x", {ir::DType::f32, ir::Shape{"N", 3}, {}});
  matrix.set_outputs({matrix.add_node("y", ir::Unary{}, {x})});
  export_onnx(ir::infer_shapes(matrix), folder / "m.onnx");
  EXPECT_EQ(message_of({{"onnx", "m.onnx"}, {"resolutions", {12}}}, folder.path()),
            "F/m.onnx: \"resolutions\": expected a model with one input [N, channels, height, "
            "width], got \"x\" [N, 3]");
  export_onnx(ir::infer_shapes(dense_output.pruned()), folder / "n.onnx");
  EXPECT_EQ(
      message_of({{"onnx", "n.onnx"}, {"resolutions", {12}}}, folder.path()),
      "F/n.onnx: \"resolutions\": expected a model whose outputs do not depend on the size of "
      "images, got \"c\" [N, 4, 12, 12] for 12x12 instead of \"c\" [N, 4, 9, 9]");
  EXPECT_THAT(message_of({{"zoo", "resnet21"}}), HasSubstr("the zoo has no model \"resnet21\""));
}

}  // namespace
}  // namespace xgen::search
