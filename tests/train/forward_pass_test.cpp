#include "train/forward_pass.h"

#include <gmock/gmock.h>

#include "tests/train/support.h"

namespace xgen::train {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// y = relu(x * a) * b + x * a, and which of its nodes are computed.
class ForwardPassTest : public ::testing::Test {
 protected:
  static ir::Graph graph() {
    ir::Graph graph;
    const ir::TensorType any = {ir::DType::f32, {}, {}};
    const auto parameter = [&](const char* name, float value) {
      ir::Constant constant = ir::Constant::of<float>({1}, {value});
      constant.role = ir::Role::parameter;
      return graph.add_constant(name, std::move(constant));
    };
    const ir::Binary times{ir::Binary::Kind::mul};
    const auto x = graph.add_input("x", any);
    const auto scaled = graph.add_node("scale", times, {x, parameter("a", 2)}, "scaled");
    const auto positive = graph.add_node("relu", ir::Unary{}, {scaled}, "positive");
    const auto branch = graph.add_node("branch", times, {positive, parameter("b", 10)}, "wide");
    graph.set_outputs({graph.add_node("sum", ir::Binary{}, {branch, scaled}, "y")});
    return graph;
  }
  ForwardPassTest() {
    module_.set_node_function([this](const ir::Node& node, const std::vector<Tensor>&) {
      ran_.push_back(node.name);
      return std::optional<std::vector<Tensor>>();
    });
  }
  ForwardPass pass() { return {module_, {torch::tensor({-1.0F, 3.0F})}}; }
  void set(const char* parameter, double value) {
    const torch::NoGradGuard no_grad;
    module_.tensor(parameter).fill_(value);
  }

  GraphModule module_{graph()};
  std::vector<std::string> ran_;
};

TEST_F(ForwardPassTest, StopsAtAValueAndGoesOn) {
  ForwardPass pass = this->pass();
  EXPECT_TRUE(pass.is_ahead("positive"));
  EXPECT_THAT(values_of(pass.value("positive")), ElementsAre(0, 6));
  EXPECT_THAT(ran_, ElementsAre("scale", "relu"));
  EXPECT_FALSE(pass.is_ahead("positive"));
  EXPECT_THAT(values_of(pass.value("positive")), ElementsAre(0, 6)) << "still there";
  EXPECT_THAT(values_of(pass.outputs().front()), ElementsAre(-2, 66));
  EXPECT_THAT(ran_, ElementsAre("scale", "relu", "branch", "sum")) << "each once";
}

TEST_F(ForwardPassTest, GoesOnFromACopyWithOtherWeights) {
  ForwardPass pass = this->pass();
  pass.value("positive");
  set("b", 1);
  set("a", 100);
  EXPECT_THAT(values_of(ForwardPass(pass).outputs().front()), ElementsAre(-2, 12))
      << "what lies behind it is as it was";
  set("b", 10);
  EXPECT_THAT(values_of(ForwardPass(pass).outputs().front()), ElementsAre(-2, 66));
  EXPECT_TRUE(pass.is_ahead("wide"));
}

TEST_F(ForwardPassTest, HoldsWhatIsReadAhead) {
  const torch::NoGradGuard no_grad;
  ForwardPass pass = this->pass();
  EXPECT_EQ(pass.bytes(), 8) << "x";
  pass.value("scaled");
  EXPECT_EQ(pass.bytes(), 8) << "x is read by nothing else";
  pass.value("positive");
  EXPECT_EQ(pass.bytes(), 16) << "the sum still reads what was scaled";
  pass.value("wide");
  EXPECT_EQ(pass.bytes(), 16);
  EXPECT_THROW(pass.value("positive"), InternalError);
  EXPECT_THROW(pass.value("x"), InternalError);
  EXPECT_THROW(pass.value("absent"), InternalError);
}

TEST_F(ForwardPassTest, LeavesOutWhatIsNotNeeded) {
  ForwardPass pass(module_, {torch::tensor({-1.0F})}, {module_.graph().find("scaled")});
  EXPECT_THAT(values_of(pass.outputs().front()), ElementsAre(-2));
  EXPECT_THAT(ran_, ElementsAre("scale"));
  EXPECT_EQ(pass.step(), nullptr);
  EXPECT_THAT(ForwardPass(module_, {torch::tensor({-1.0F})}, {}).outputs(), IsEmpty());
}

}  // namespace
}  // namespace xgen::train
