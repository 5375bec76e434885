#pragma once

#include <onnx/onnx_pb.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>

#include "core/onnx/import.h"
#include "tests/support/temporary_folder.h"

namespace xgen::test {

/// The folder of architectures without weights; empty where it is not at hand.
inline std::filesystem::path skeletons() {
  const auto folder = std::filesystem::path(XGEN_SOURCE_DIR) / "../shared/models/zoo";
  return std::filesystem::exists(folder) ? folder : std::filesystem::path();
}

/// Gives the marked tensors of an architecture seeded weights that keep activations finite:
/// matrices and kernels uniform with variance 2 / fan_in, scales and variances about 1, all else
/// about 0.
inline ir::Graph filled_skeleton(const std::string& name, unsigned seed = 1) {
  onnx::ModelProto model;
  std::ifstream in(skeletons() / (name + ".skeleton.onnx"), std::ios::binary);
  XGEN_CHECK(model.ParseFromIstream(&in), name);
  std::set<std::string> scales;
  for (const auto& node : model.graph().node()) {
    if (node.op_type() == "BatchNormalization") scales.insert({node.input(1), node.input(4)});
    if (node.op_type() == "Mul") scales.insert(node.input().begin(), node.input().end());
  }
  std::mt19937 random(seed);
  const auto fill = [&](const std::string& tensor_name, onnx::TensorProto& tensor) {
    if (tensor.doc_string() != "xgen-skeleton") return;
    std::int64_t count = 1;
    for (const auto d : tensor.dims()) count *= d;
    const bool matrix = tensor.dims_size() >= 2;
    const auto fan_in = static_cast<double>(matrix ? count / tensor.dims(0) : 1);
    const auto width = static_cast<float>(matrix ? std::sqrt(6 / fan_in) : 0.1);
    const float centre = !matrix && scales.count(tensor_name) != 0 ? 1 : 0;
    std::uniform_real_distribution<float> uniform(centre - width, centre + width);
    std::string bytes(static_cast<std::size_t>(count) * sizeof(float), '\0');
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(float)) {
      const float value = uniform(random);
      std::memcpy(bytes.data() + at, &value, sizeof value);
    }
    tensor.set_raw_data(std::move(bytes));
  };
  for (auto& tensor : *model.mutable_graph()->mutable_initializer()) fill(tensor.name(), tensor);
  for (auto& node : *model.mutable_graph()->mutable_node()) {
    for (auto& attribute : *node.mutable_attribute()) {
      if (node.op_type() == "Constant" && attribute.name() == "value")
        fill(node.output(0), *attribute.mutable_t());
    }
  }
  const TemporaryFolder folder;
  const auto path = folder / (name + ".onnx");
  {
    std::ofstream out(path, std::ios::binary);
    XGEN_CHECK(model.SerializeToOstream(&out), name);
  }
  return import_onnx(path);
}

}  // namespace xgen::test
