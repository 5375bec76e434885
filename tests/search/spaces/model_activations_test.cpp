#include "search/spaces/model_activations.h"

#include <gmock/gmock.h>

#include "core/ir/infer_shapes.h"
#include "core/ir/verify.h"
#include "tests/support/random_graph.h"

namespace xgen::search {
namespace {

using ::testing::ElementsAre;

TEST(ActivationPlaces, AreGeluInEveryOrderAndTanhBetweenLayers) {
  // x * (1 + erf(x / 1.4)) * 0.5, x * ((1 + erf(x * 0.7)) * 0.5) and (x * 0.5) * (1 + erf(x
  // / 1.4)), then tanh between layers, and a sum of tanh, which is none.
  ir::Graph g;
  ir::ValueId x = g.add_input("x", {ir::DType::f32, ir::Shape{"N", 4, 3, 3}, {}});
  test::RandomTensors random(1);
  const auto number = [&](float value) {
    return g.add_constant("k", ir::Constant::scalar<float>(value));
  };
  const auto binary = [&](const char* name, ir::Binary::Kind kind, ir::ValueId a, ir::ValueId b) {
    return g.add_node(name, ir::Binary{kind}, {a, b});
  };
  using Kind = ir::Binary::Kind;
  const auto unary = [&](const char* name, ir::Unary::Kind kind, ir::ValueId a) {
    return g.add_node(name, ir::Unary{kind}, {a});
  };
  const auto conv = [&](const char* name, ir::ValueId a) {
    return g.add_node(name, ir::Conv{}, {a, g.add_constant("w", random.f32({4, 4, 1, 1}))});
  };
  const auto erf = [&](const char* name, ir::ValueId scaled) {
    return binary("sum", Kind::add, unary(name, ir::Unary::Kind::erf, scaled), number(1));
  };
  x = conv("c1", x);
  ir::ValueId y = erf("e1", binary("d1", Kind::div, x, number(1.4F)));
  x = conv("c2", binary("gelu1", Kind::mul, binary("m1", Kind::mul, x, y), number(0.5F)));
  y = erf("e2", binary("d2", Kind::mul, number(0.7F), x));
  x = conv("c3", binary("gelu2", Kind::mul, x, binary("m2", Kind::mul, y, number(0.5F))));
  y = erf("e3", binary("d3", Kind::div, x, number(1.4F)));
  x = conv("c4", binary("gelu3", Kind::mul, binary("m3", Kind::mul, x, number(0.5F)), y));
  x = conv("c5", unary("tanh1", ir::Unary::Kind::tanh, x));
  g.set_outputs({binary("y", Kind::add, unary("tanh2", ir::Unary::Kind::tanh, x), x)});
  const std::vector<ActivationPlace> places = activation_places(g);
  std::vector<std::string> found;
  found.reserve(places.size());
  for (const ActivationPlace& place : places) found.push_back(place.node + " of " + place.input);
  EXPECT_THAT(found, ElementsAre("gelu1 of c1", "gelu2 of c2", "gelu3 of c3", "tanh1 of c4"));
  const ir::Graph relu =
      ir::infer_shapes(with_activation(g, places, activation_of("relu").value()));
  ir::verify(relu, "with_activation");
  std::vector<std::string> nodes;
  for (const ir::Node& node : relu.nodes()) nodes.push_back(node.name + " " + ir::op_name(node.op));
  EXPECT_THAT(nodes,
              ElementsAre("c1 Conv", "gelu1 Relu", "c2 Conv", "gelu2 Relu", "c3 Conv", "gelu3 Relu",
                          "c4 Conv", "tanh1 Relu", "c5 Conv", "tanh2 Tanh", "y Add"));
}

}  // namespace
}  // namespace xgen::search
