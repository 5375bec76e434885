#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/ir/infer_shapes.h"
#include "core/onnx/export.h"
#include "core/reference/evaluate.h"
#include "search/spaces/model.h"
#include "tests/support/message.h"
#include "tests/support/random_graph.h"
#include "tests/support/temporary_folder.h"
#include "train/zoo/net_builder.h"

/// Spaces around a small network, for their tests.
namespace xgen::search::test_models {

using nlohmann::json;

inline const std::filesystem::path& models() {
  static const auto folder = std::filesystem::path(XGEN_SOURCE_DIR) / "../shared/models";
  return folder;
}

inline ModelSpace loaded(const json& config, const std::filesystem::path& folder = models()) {
  auto space = read_config<ModelSpace>(config, "s.json");
  space.resolve(folder);
  return space;
}

inline std::string message_of(const json& config, const std::filesystem::path& folder = models()) {
  return test::message_of([&] { loaded(config, folder); }, folder.string());
}

/// The point which takes these choices, by names of parameters, and first choices else.
inline Point point_with(const ModelSpace& space,
                        const std::map<std::string, std::string>& choices) {
  Point point;
  std::size_t found = 0;
  for (const Parameter& parameter : space.space().parameters) {
    point.push_back(0);
    const auto wanted = choices.find(parameter.name);
    if (wanted == choices.end()) continue;
    ++found;
    const auto at = std::find(parameter.choices.begin(), parameter.choices.end(), wanted->second);
    XGEN_CHECK(at != parameter.choices.end(), wanted->second);
    point.back() = static_cast<int>(at - parameter.choices.begin());
  }
  XGEN_CHECK(found == choices.size(), "a parameter is missing");
  return point;
}

/// A chain of two residual blocks and a convolution, for 8x8 images; some parts are left out.
struct Parts {
  bool first_block = true, second_block = true, last = true;
};
inline ir::Graph small_net(const Parts& parts = {}) {
  train::NetBuilder net("small", 3, 8, 8, Random(5));
  net.conv_bn_relu("1", 8, {});
  const auto add_block = [&](const std::string& name) {
    const ir::ValueId x = net.current();
    net.conv(name + ".conv1", 12, {}).batch_norm(name + ".bn1").relu(name + ".relu");
    net.conv(name + ".conv2", 8, {}).batch_norm(name + ".bn2").add(name + ".add", x);
  };
  if (parts.first_block) add_block("a");
  if (parts.second_block) add_block("b");
  if (parts.last) net.conv("last", 8, {.bias = true});
  net.relu("last.relu");
  return ir::infer_shapes(net.average_pool_to_features("pool").finish(5));
}

inline std::vector<float> outputs_of(const ir::Graph& graph) {
  test::RandomTensors random(2);
  const ir::Constant y = reference::evaluate(graph, {random.f32({2, 3, 8, 8})}).at(0);
  const auto values = y.as<float>();
  return {values.begin(), values.end()};
}

inline json everything() {
  return {{"operators", {"keep", "1x1", "3x3", "dw3x3+1x1", "1x1+dw3x3+1x1", "skip"}},
          {"widths", {1, 0.75, 0.5}},
          {"width_per", "group"},
          {"blocks", {"keep", "skip"}}};
}

/// Of small_net() with another input.
class OtherInput {
 public:
  explicit OtherInput(const ir::Shape& shape) {
    ir::Graph graph = small_net();
    graph.value(graph.inputs()[0]).type.shape = shape;
    export_onnx(ir::infer_shapes(graph), folder_ / "n.onnx");
  }
  [[nodiscard]] std::string message(json config) const {
    config["onnx"] = "n.onnx";
    return message_of(config, folder_.path());
  }
  [[nodiscard]] ModelSpace space(json config) const {
    config["onnx"] = "n.onnx";
    return loaded(config, folder_.path());
  }

 private:
  test::TemporaryFolder folder_;
};

}  // namespace xgen::search::test_models
