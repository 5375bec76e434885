#include "cli/verify_folder.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "cli/model_file.h"
#include "codegen/targets.h"
#include "core/error.h"
#include "core/ir/infer_shapes.h"
#include "core/onnx/import.h"
#include "core/onnx/read_tensor.h"

namespace xgen::cli {

namespace {

namespace fs = std::filesystem;

constexpr double kRelative = 1e-3, kAbsolute = 1e-5;

std::vector<fs::path> data_sets(const fs::path& folder) {
  std::vector<fs::path> sets;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().rfind("test_data_set_", 0) == 0)
      sets.push_back(entry.path());
  }
  std::sort(sets.begin(), sets.end());
  if (sets.empty()) throw UserError(str(folder.string(), ": has no test_data_set_*"));
  return sets;
}

// input_0.pb, input_1.pb, ...
std::vector<ir::Constant> read_tensors(const fs::path& set, const std::string& kind) {
  std::vector<ir::Constant> tensors;
  for (int i = 0; fs::exists(set / str(kind, "_", i, ".pb")); ++i)
    tensors.push_back(read_onnx_tensor(set / str(kind, "_", i, ".pb")).tensor);
  return tensors;
}

// The sizes that the inputs give to the model's symbols.
std::map<std::string, std::int64_t> symbols_of(const ir::Graph& graph,
                                               const std::vector<ir::Constant>& inputs) {
  if (inputs.size() != graph.inputs().size())
    throw UserError(
        str("the model has ", graph.inputs().size(), " inputs, the data set ", inputs.size()));
  std::map<std::string, std::int64_t> sizes;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& shape = graph.value(graph.inputs()[i]).type.shape;
    for (std::size_t d = 0; shape && d < std::min(shape->size(), inputs[i].shape.size()); ++d) {
      if (!(*shape)[d].is_static()) sizes.emplace((*shape)[d].symbol, inputs[i].shape[d]);
    }
  }
  return sizes;
}

template <class T>
std::string number(T value) {
  if constexpr (sizeof(T) == 1)
    return std::to_string(static_cast<int>(value));
  else
    return str(value);
}

template <class T>
std::string first_difference(const ir::Constant& got, const ir::Constant& want) {
  const auto* g = reinterpret_cast<const T*>(got.bytes.data());
  const auto* w = reinterpret_cast<const T*>(want.bytes.data());
  for (std::int64_t i = 0; i < want.size(); ++i) {
    bool equal = g[i] == w[i];
    if constexpr (std::is_floating_point_v<T>) {
      const double distance = std::abs(static_cast<double>(g[i]) - static_cast<double>(w[i]));
      equal = equal || (std::isnan(g[i]) && std::isnan(w[i])) ||
              (std::isfinite(w[i]) &&
               distance <= kAbsolute + kRelative * std::abs(static_cast<double>(w[i])));
    }
    if (!equal) return str("element ", i, ": expected ", number(w[i]), ", got ", number(g[i]));
  }
  return "";
}

std::string difference(const ir::Constant& got, const ir::Constant& want) {
  if (got.dtype != want.dtype || got.shape != want.shape)
    return str("expected ", ir::name_of(want.dtype), " ", ir::to_string(ir::to_shape(want.shape)),
               ", got ", ir::name_of(got.dtype), " ", ir::to_string(ir::to_shape(got.shape)));
  switch (want.dtype) {
    case ir::DType::f32:
      return first_difference<float>(got, want);
    case ir::DType::f64:
      return first_difference<double>(got, want);
    case ir::DType::i64:
      return first_difference<std::int64_t>(got, want);
    case ir::DType::i32:
      return first_difference<std::int32_t>(got, want);
    case ir::DType::i8:
      return first_difference<std::int8_t>(got, want);
    case ir::DType::u8:
    case ir::DType::boolean:
      return first_difference<std::uint8_t>(got, want);
  }
  XGEN_CHECK(false, "a type without comparison");
}

}  // namespace

FolderResult verify_folder(const fs::path& folder, const std::string& kernels) {
  FolderResult result{folder.filename().string(), "passed", ""};
  try {
    const ir::Graph graph = import_onnx(folder / "model.onnx");
    CompileOptions options;
    options.target = find_target("host");
    std::optional<HostModel> model;
    for (const fs::path& set : data_sets(folder)) {
      const std::vector<ir::Constant> inputs = read_tensors(set, "input");
      const std::vector<ir::Constant> expected = read_tensors(set, "output");
      auto sizes = symbols_of(graph, inputs);
      if (!model || sizes != options.dims) {
        options.dims = std::move(sizes);
        model = HostModel::build(compile(graph, options).program, kernels_to_build(kernels));
      }
      const std::vector<ir::Constant> outputs = model->run(inputs);
      if (outputs.size() != expected.size())
        throw UserError(
            str("the model has ", outputs.size(), " outputs, the data set ", expected.size()));
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        const std::string found = difference(outputs[i], expected[i]);
        if (found.empty()) continue;
        return {
            result.name, "wrong",
            str(set.filename().string(), ", output \"", model->outputs()[i].name, "\": ", found)};
      }
    }
  } catch (const UserError& error) {
    result.status = "refused";
    result.reason = error.what();
    // The folder is named already.
    const std::string prefix = (folder / "model.onnx").string() + ": ";
    if (result.reason.rfind(prefix, 0) == 0) result.reason.erase(0, prefix.size());
  }
  return result;
}

}  // namespace xgen::cli
