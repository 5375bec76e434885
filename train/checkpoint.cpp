#include "train/checkpoint.h"

#include <map>

#include "core/ir/print.h"
#include "core/sha256.h"
#include "core/tensor_file.h"
#include "train/tensors.h"

namespace xgen::train {
namespace {

constexpr const char* kGroups[] = {"weights/", "optimizer/", "ema/", "hooks/"};
constexpr const char* kFormat = "xgen checkpoint 1";

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  TensorFile file;
  file.metadata["format"] = kFormat;
  file.metadata["meta"] = checkpoint.meta.dump();
  const NamedTensors* groups[] = {&checkpoint.weights, &checkpoint.optimizer, &checkpoint.ema,
                                  &checkpoint.hooks};
  for (std::size_t g = 0; g < std::size(kGroups); ++g) {
    for (const auto& [name, tensor] : *groups[g]) {
      file.tensors[kGroups[g] + name] = std::make_shared<const ir::Constant>(to_constant(tensor));
    }
  }
  write_tensor_file(path, file);
}

Checkpoint load_checkpoint(const std::filesystem::path& path) {
  const TensorFile file = read_tensor_file(path);
  const auto format = file.metadata.find("format");
  if (format == file.metadata.end() || format->second != kFormat) {
    throw UserError(str(path.string(), ": expected a checkpoint of a training stage (\"", kFormat,
                        "\"), found another file of tensors"));
  }
  Checkpoint checkpoint;
  checkpoint.meta = nlohmann::json::parse(file.metadata.at("meta"));
  NamedTensors* groups[] = {&checkpoint.weights, &checkpoint.optimizer, &checkpoint.ema,
                            &checkpoint.hooks};
  for (const auto& [name, tensor] : file.tensors) {
    for (std::size_t g = 0; g < std::size(kGroups); ++g) {
      const std::string prefix = kGroups[g];
      if (name.starts_with(prefix)) {
        groups[g]->emplace_back(name.substr(prefix.size()), to_tensor(*tensor));
      }
    }
  }
  return checkpoint;
}

std::string structure_hash(const ir::Graph& graph) {
  Sha256 sha;
  const auto add_values = [&](const std::vector<ir::ValueId>& ids) {
    for (const ir::ValueId id : ids) {
      sha.update(id == ir::kNoValue ? "-" : graph.value(id).name).update("\n");
    }
  };
  add_values(graph.inputs());
  for (const ir::Node& node : graph.nodes()) {
    sha.update(str(ir::print(node.op), " ", node.name, "\n"));
    add_values(node.inputs);
    add_values(node.outputs);
  }
  add_values(graph.outputs());
  for (const ir::Value& value : graph.values()) {
    if (value.constant == nullptr) continue;
    const ir::Constant& c = *value.constant;
    sha.update(str(value.name, " ", ir::name_of(c.dtype), ir::to_string(ir::to_shape(c.shape)), " ",
                   static_cast<int>(c.role), "\n"));
    if (c.role == ir::Role::fixed) sha.update(c.bytes);
  }
  return sha.hex();
}

void check_same_model(const std::filesystem::path& path, const NamedTensors& found,
                      const NamedTensors& expected) {
  const auto refuse = [&](const std::string& why) {
    throw UserError(str(path.string(), ": is a checkpoint of another model: ", why));
  };
  std::map<std::string, Tensor> by_name(found.begin(), found.end());
  for (const auto& [name, tensor] : expected) {
    const auto it = by_name.find(name);
    if (it == by_name.end()) refuse(str("it has no weights \"", name, '"'));
    if (it->second.sizes() != tensor.sizes()) {
      // Not as c10 prints them: xgen::str would compete with c10::str.
      const auto shape = [](const Tensor& t) {
        return ir::to_string(ir::to_shape(t.sizes().vec()));
      };
      refuse(str('"', name, "\" has the shape ", shape(it->second), ", expected ", shape(tensor)));
    }
    by_name.erase(it);
  }
  if (!by_name.empty()) refuse(str("it has weights \"", by_name.begin()->first, "\" besides"));
}

}  // namespace xgen::train
