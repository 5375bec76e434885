#include "train/graph_module.h"

#include <gmock/gmock.h>

#include "tests/train/support.h"
#include "train/autocast.h"
#include "train/tensors.h"
#include "train/zoo/zoo.h"

namespace xgen::train {
namespace {

using ::testing::ElementsAre;

ir::TensorType any_float() { return {ir::DType::f32, {}, {}}; }

/// The output of one node for input x and constants.
Tensor run(ir::Op op, const Tensor& x, const std::vector<ir::Constant>& constants = {}) {
  ir::Graph graph;
  std::vector<ir::ValueId> inputs = {graph.add_input("x", any_float())};
  for (const ir::Constant& c : constants) inputs.push_back(graph.add_constant("c", c));
  graph.set_outputs({graph.add_node("node", std::move(op), inputs)});
  return GraphModule(graph).forward(x);
}

TEST(GraphModule, PoolsWithCeilModeAndPadsAsOnnxDoes) {
  ir::AveragePool average;
  average.kernel = {1, 2};
  average.strides = {1, 2};
  average.pads = {0, 1, 0, 0};
  average.ceil_mode = true;
  // Windows (pad, 0), (1, 2), (3, 4).
  EXPECT_THAT(values_of(run(average, counting({1, 1, 1, 5}))), ElementsAre(0, 1.5F, 3.5F));
  average.count_include_pad = true;
  EXPECT_THAT(values_of(run(average, counting({1, 1, 1, 5}) + 1)), ElementsAre(0.5F, 2.5F, 4.5F));
  // The last window is half beyond the end, which never counts.
  average.pads = {0, 0, 0, 0};
  EXPECT_THAT(values_of(run(average, counting({1, 1, 1, 5}))), ElementsAre(0.5F, 2.5F, 4));

  ir::MaxPool max;
  max.kernel = {1, 2};
  max.strides = {1, 3};
  max.pads = {0, 0, 0, 2};
  max.ceil_mode = true;
  // A window that begins in the padding at the end is left out; padding is never the maximum.
  EXPECT_THAT(values_of(run(max, counting({1, 1, 1, 4}) - 9)), ElementsAre(-8, -6));
}

TEST(GraphModule, SlicesBackwardsAndClampsBounds) {
  const Tensor x = counting({5});
  const auto slice = [&](std::int64_t start, std::int64_t end, std::int64_t step) {
    return values_of(
        run(ir::Slice{}, x, {integers({start}), integers({end}), integers({0}), integers({step})}));
  };
  EXPECT_THAT(slice(-1, INT64_MIN, -2), ElementsAre(4, 2, 0));
  EXPECT_THAT(slice(3, 0, -1), ElementsAre(3, 2, 1));
  EXPECT_THAT(slice(1, INT64_MAX, 3), ElementsAre(1, 4));
  EXPECT_THAT(slice(-100, -3, 1), ElementsAre(0, 1));
  EXPECT_THAT(slice(4, 2, 1), ElementsAre());
}

TEST(GraphModule, ResizesByTheRulesOfOnnx) {
  // resize_downsample_scales_linear and resize_upsample_scales_linear of ONNX' own tests.
  ir::Resize linear;
  linear.mode = ir::Resize::Mode::linear;
  ir::Graph graph;
  const auto x = graph.add_input("x", any_float());
  const auto down = graph.add_constant("down", ir::Constant::of<float>({4}, {1, 1, 0.6F, 0.6F}));
  const auto up = graph.add_constant("up", ir::Constant::of<float>({4}, {1, 1, 2, 2}));
  const auto a = graph.add_node("a", linear, {x, ir::kNoValue, down});
  ir::Resize nearest;
  const auto b = graph.add_node("b", nearest, {x, ir::kNoValue, up});
  graph.set_outputs({a, b});
  const auto y = GraphModule(graph).forward(std::vector<Tensor>{counting({1, 1, 2, 4}) + 1});
  EXPECT_EQ(y[0].sizes(), (std::vector<std::int64_t>{1, 1, 1, 2}));
  EXPECT_NEAR(y[0].flatten()[0].item<float>(), 2.6666665F, 1e-6);
  EXPECT_NEAR(y[0].flatten()[1].item<float>(), 4.3333331F, 1e-6);
  EXPECT_THAT(values_of(y[1].select(2, 1).flatten()), ElementsAre(1, 1, 2, 2, 3, 3, 4, 4));
}

TEST(GraphModule, ComputesShapesFromTheActualBatch) {
  ir::Graph graph;
  const auto x = graph.add_input("x", any_float());
  const auto shape = graph.add_node("shape", ir::ShapeOf{}, {x});
  const auto zero = graph.add_constant("zero", ir::Constant::scalar<std::int64_t>(0));
  const auto axes = graph.add_constant("axes", integers({0}));
  const auto rest = graph.add_constant("rest", integers({-1}));
  const auto batch = graph.add_node("batch", ir::Gather{}, {shape, zero});
  const auto batch1 = graph.add_node("batch1", ir::Unsqueeze{}, {batch, axes});
  const auto wanted = graph.add_node("wanted", ir::Concat{0}, {batch1, rest});
  graph.set_outputs({graph.add_node("y", ir::Reshape{}, {x, wanted})});
  GraphModule module(graph);
  for (const std::int64_t n : {1, 3}) {
    EXPECT_EQ(module.forward(counting({n, 2, 2, 2})).sizes(), (std::vector<std::int64_t>{n, 8}));
  }
}

TEST(GraphModule, FlattensInLogicalOrderWhateverTheMemoryFormat) {
  EXPECT_TRUE(at::equal(run(ir::Flatten{1}, counting({2, 3, 2, 2})), counting({2, 12})));
}

TEST(GraphModule, UpdatesRunningStatisticsOnlyWhileTraining) {
  ir::Graph graph;
  const auto x = graph.add_input("x", any_float());
  const auto constant = [&](const char* name, float value, ir::Role role) {
    return graph.add_constant(name, ir::Constant::of<float>({1}, {value}, role));
  };
  ir::BatchNorm op;
  op.momentum = 0.75F;
  op.epsilon = 0;
  graph.set_outputs({graph.add_node(
      "bn", op,
      {x, constant("scale", 2, ir::Role::parameter), constant("shift", 1, ir::Role::parameter),
       constant("mean", 4, ir::Role::buffer), constant("variance", 9, ir::Role::buffer)})});
  GraphModule module(graph);
  const Tensor input = torch::tensor({1.0F, 3.0F}).reshape({2, 1, 1, 1});
  EXPECT_THAT(values_of(module.forward(input)),
              ElementsAre(-1, ::testing::FloatNear(1.0F / 3, 1e-6F)));
  EXPECT_THAT(values_of(module.tensor("mean")), ElementsAre(4));

  module.train();
  EXPECT_THAT(values_of(module.forward(input)), ElementsAre(-1, 3));
  EXPECT_THAT(values_of(module.tensor("mean")), ElementsAre(0.75F * 4 + 0.25F * 2));
  // The unbiased variance of the batch is 2.
  EXPECT_THAT(values_of(module.tensor("variance")), ElementsAre(0.75F * 9 + 0.25F * 2));
  module.train_batch_norm(false);
  module.forward(input);
  EXPECT_THAT(values_of(module.tensor("mean")), ElementsAre(3.5F));
}

TEST(GraphModule, DropsTheSameElementsForTheSameSeedStepAndNode) {
  ir::Graph graph;
  const auto x = graph.add_input("x", any_float());
  const auto a = graph.add_node("a", ir::Dropout{0.25F}, {x});
  graph.set_outputs({a, graph.add_node("b", ir::Dropout{0.25F}, {x})});
  GraphModule module(graph);
  const std::vector<Tensor> ones = {torch::ones({10000})};
  EXPECT_TRUE(at::equal(module.forward(ones)[0], ones[0]));
  module.train();
  module.set_random(Random(1), 5);
  const auto first = module.forward(ones);
  EXPECT_NEAR((first[0] == 0).to(torch::kFloat).mean().item<float>(), 0.25F, 0.02F);
  EXPECT_NEAR(first[0].max().item<float>(), 1 / 0.75F, 1e-6F);
  EXPECT_FALSE(at::equal(first[0], first[1]));
  EXPECT_TRUE(at::equal(module.forward(ones)[0], first[0]));
  module.set_random(Random(1), 6);
  EXPECT_FALSE(at::equal(module.forward(ones)[0], first[0]));
}

TEST(GraphModule, RunsTheEpilogueOfAFusedConvolution) {
  ir::Graph graph;
  const auto x = graph.add_input("x", any_float());
  const auto w =
      graph.add_constant("w", ir::Constant::of<float>({1, 1, 1, 1}, {2}, ir::Role::parameter));
  ir::Conv conv;
  conv.epilogue.before_add = {ir::Activation::Kind::clip, 0, 100, 0, 0};
  conv.epilogue.residual = true;
  conv.epilogue.before_residual = ir::QuantParams{{4}, {0}, -1};
  conv.epilogue.activation = {ir::Activation::Kind::clip, -1, 6, 0, 0};
  graph.set_outputs({graph.add_node("conv", conv, {x, w, ir::kNoValue, x})});
  // 2x: -6, 2, 6; clipped: 0, 2, 6; to multiples of 4, half to even: 0, 0, 8; plus x: -3, 1, 11.
  const Tensor y =
      GraphModule(graph).forward(torch::tensor({-3.0F, 1.0F, 3.0F}).reshape({1, 1, 1, 3}));
  EXPECT_THAT(values_of(y), ElementsAre(-1, 1, 6));
}

TEST(GraphModule, GivesIntermediateValuesByNameAndComputesNothingElse) {
  ir::Graph graph;
  const auto x = graph.add_input("x", any_float());
  const auto twice = graph.add_node("add", ir::Binary{}, {x, x}, "twice");
  graph.set_outputs({graph.add_node("relu", ir::Unary{}, {twice})});
  GraphModule module(graph);
  std::vector<std::string> ran;
  module.set_node_function([&](const ir::Node& node, const std::vector<Tensor>&) {
    ran.push_back(node.name);
    return std::optional<std::vector<Tensor>>();
  });
  const auto values = module.forward_values({torch::tensor({-1.0F, 2.0F})}, {"twice", "x"});
  EXPECT_THAT(values_of(values.at("twice")), ElementsAre(-2, 4));
  EXPECT_THAT(values_of(values.at("x")), ElementsAre(-1, 2));
  EXPECT_THAT(ran, ElementsAre("add"));
  EXPECT_THROW(module.forward_values({torch::ones({1})}, {"absent"}), InternalError);
}

TEST(GraphModule, LetsAFunctionReplaceANode) {
  ir::Graph graph;
  const auto x = graph.add_input("x", any_float());
  graph.set_outputs({graph.add_node("relu", ir::Unary{}, {x})});
  GraphModule module(graph);
  module.set_node_function([](const ir::Node&, const std::vector<Tensor>& inputs) {
    return std::optional(std::vector<Tensor>{inputs[0] * 10});
  });
  EXPECT_EQ(module.forward(torch::tensor({-1.0F})).item<float>(), -10);
}

TEST(GraphModule, ComputesInBfloat16UnderAnAutocastAndAnswersInItsOwnType) {
  // 1 + 2^-12 needs more bits than bfloat16 has, so a convolution forgets it; ReLU does not.
  ir::Graph graph;
  const auto x = graph.add_input("x", any_float());
  const auto one = graph.add_constant("one", ir::Constant::of<float>({1, 1, 1, 1}, {1}));
  const auto conv = graph.add_node("conv", ir::Conv{}, {x, one});
  graph.set_outputs({conv, graph.add_node("relu", ir::Unary{}, {x})});
  GraphModule module(graph);
  const float fine = 1 + 1.0F / 4096;
  const auto outputs = [&](bool on) {
    const Autocast autocast(torch::kCPU, on);
    const std::vector<Tensor> y =
        module.forward(std::vector<Tensor>{torch::full({1, 1, 1, 1}, fine)});
    for (const Tensor& t : y) EXPECT_EQ(t.scalar_type(), torch::kFloat);
    return std::vector<float>{y[0].item<float>(), y[1].item<float>()};
  };
  EXPECT_THAT(outputs(true), ElementsAre(1, fine));
  EXPECT_THAT(outputs(false), ElementsAre(fine, fine));
}

TEST(GraphModule, GivesAFunctionNumbersOfItsOwnTypeUnderAnAutocast) {
  ir::Graph graph;
  const auto x = graph.add_input("x", any_float());
  const auto one = graph.add_constant("one", ir::Constant::of<float>({1, 1, 1, 1}, {1}));
  const auto conv = graph.add_node("conv", ir::Conv{}, {x, one});
  graph.set_outputs({graph.add_node("again", ir::Conv{}, {conv, one})});
  GraphModule module(graph);
  module.set_node_function([](const ir::Node& node,
                              const std::vector<Tensor>& in) -> std::optional<std::vector<Tensor>> {
    if (node.name != "again") return std::nullopt;
    EXPECT_EQ(in[0].scalar_type(), torch::kFloat);
    return {{at::conv2d(in[0] + 1.0F / 4096, in[1])}};
  });
  const Autocast autocast(torch::kCPU, true);
  EXPECT_EQ(module.forward(torch::ones({1, 1, 1, 1})).item<float>(), 1 + 1.0F / 4096);
}

TEST(GraphModule, FindsTheFirstNodeThatIsNotFinite) {
  ir::Graph graph;
  const auto x = graph.add_input("x", any_float());
  const auto a = graph.add_node("a", ir::Unary{ir::Unary::Kind::sqrt}, {x});
  graph.set_outputs({graph.add_node("b", ir::Unary{}, {a})});
  GraphModule module(graph);
  EXPECT_EQ(module.first_non_finite({torch::ones({2})}), nullptr);
  EXPECT_EQ(module.first_non_finite({torch::tensor({1.0F, -1.0F})})->name, "a");
}

TEST(GraphModule, ReturnsTheGraphWithItsWeightsAsTheyAreNow) {
  const ir::Graph graph = make_zoo_model("digits_cnn", 10, 1);
  GraphModule module(graph);
  EXPECT_EQ(GraphModule(module.to_graph()).weights_hash(), module.weights_hash());
  {
    const torch::NoGradGuard no_grad;
    module.tensor("conv2.weight").mul_(2);
  }
  const ir::Graph changed = module.to_graph();
  const auto before = graph.constant(graph.find("conv2.weight"))->as<float>();
  const auto after = changed.constant(changed.find("conv2.weight"))->as<float>();
  for (std::size_t i = 0; i < before.size(); ++i) ASSERT_EQ(after[i], 2 * before[i]);
  EXPECT_EQ(changed.constant(changed.find("conv2.weight"))->role, ir::Role::parameter);
  EXPECT_EQ(changed.constant(changed.find("bn1.running_var"))->role, ir::Role::buffer);
  EXPECT_NE(GraphModule(changed).weights_hash(), GraphModule(graph).weights_hash());
}

TEST(GraphModule, RefusesAnotherNumberOfInputs) {
  GraphModule module(make_zoo_model("digits_cnn", 10, 1));
  EXPECT_THROW(module.forward(std::vector<Tensor>{}), InternalError);
}

TEST(GraphModule, NamesTheNodeThatDoesNotFit) {
  GraphModule module(make_zoo_model("digits_cnn", 10, 1));
  try {
    module.forward(torch::ones({1, 2, 8, 8}));
    FAIL();
  } catch (const InternalError& error) {
    EXPECT_THAT(error.what(), ::testing::StartsWith("node \"conv1\" (Conv): "));
  }
}

}  // namespace
}  // namespace xgen::train
