#include "core/onnx/read_masks.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "core/error.h"
#include "core/onnx/sparsity_json.h"
#include "core/suggest.h"

namespace xgen {

namespace {

// How a weight is stored: [c_out, c_in, kh, kw], [c_out, c_in], or transposed.
struct Form {
  WeightShape shape;
  bool transposed = false;
};

Form matrix(const ir::Extents& e, bool transposed) {
  const int rows = static_cast<int>(e[0]), columns = static_cast<int>(e[1]);
  return {transposed ? WeightShape{columns, rows} : WeightShape{rows, columns}, transposed};
}

// As the layer reads it that `value` goes to, through quantization; of matrices that something else
// reads first either way may be meant.
std::vector<Form> forms_of(const ir::Graph& graph, const ir::Extents& extents, ir::ValueId value) {
  if (extents.size() == 4) {
    const auto at = [&](std::size_t i) { return static_cast<int>(extents[i]); };
    return {{{at(0), at(1), at(2), at(3)}, false}};
  }
  if (extents.size() != 2) return {};
  for (const ir::Node& node : graph.nodes()) {
    if (node.input(1) == value) {
      if (const auto* gemm = node.as<ir::Gemm>()) return {matrix(extents, !gemm->trans_b)};
      if (node.as<ir::MatMul>() != nullptr) return {matrix(extents, true)};
    }
    const bool quantizes =
        node.as<ir::QuantizeLinear>() != nullptr || node.as<ir::DequantizeLinear>() != nullptr;
    if (quantizes && node.input(0) == value) return forms_of(graph, extents, node.output());
  }
  return {matrix(extents, false), matrix(extents, true)};
}

std::int64_t blocks_of(const WeightShape& shape, const Sparsity& mask) {
  return static_cast<std::int64_t>(shape.groups(mask)) * shape.lanes(mask);
}

// Whether the blocks are as many as the weight has, and the patterns as large as its kernels.
bool fits(const Sparsity& mask, const WeightShape& shape) {
  if (static_cast<std::int64_t>(mask.kept.size()) != blocks_of(shape, mask)) return false;
  for (const Pattern& pattern : mask.patterns.patterns) {
    if (shape.taps() > 64 || (shape.taps() < 64 && (pattern.bits >> shape.taps()) != 0))
      return false;
  }
  return true;
}

// The first element of a constant that the mask drops and that is not 0.
std::optional<std::size_t> first_dropped(const Sparsity& mask, const Form& form,
                                         const ir::Constant& weight) {
  const std::vector<std::uint8_t> kept = expand_mask(mask, form.shape);
  const auto rows = static_cast<std::size_t>(form.shape.c_out),
             columns = static_cast<std::size_t>(form.shape.c_in);
  const auto is_zero = [&](std::size_t i) {
    return weight.dtype == ir::DType::i8 ? weight.as<std::int8_t>()[i] == 0
                                         : weight.as<float>()[i] == 0;
  };
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const std::size_t stored = form.transposed ? i % columns * rows + i / columns : i;
    if (kept[i] == 0 && !is_zero(stored)) return stored;
  }
  return std::nullopt;
}

void read_mask(const Sparsity& mask, ir::Graph& graph, ir::ValueId id, const std::string& where) {
  const ir::Constant& weight = *graph.constant(id);
  if (mask.scheme == Sparsity::Scheme::dense) return;
  if (weight.dtype != ir::DType::f32 && weight.dtype != ir::DType::i8)
    throw UserError(
        str(where, ": expected a mask of f32 or i8, got one of ", ir::name_of(weight.dtype)));
  const Form* form = nullptr;
  const std::vector<Form> forms = forms_of(graph, weight.shape, id);
  for (const Form& f : forms) {
    if (form == nullptr && fits(mask, f.shape)) form = &f;
  }
  const std::string extents = ir::to_string(ir::to_shape(weight.shape));
  if (form == nullptr) {
    const std::string expected =
        forms.empty() ? "no mask"
                      : str("a mask of ", blocks_of(forms[0].shape, mask), " blocks of ",
                            mask.group_out, " filters x ", mask.lane_channels,
                            " channels, and patterns of ", forms[0].shape.taps(), " taps");
    throw UserError(str(where, ": expected ", expected, " for ", extents, ", got ",
                        mask.kept.size(), " blocks and ", mask.patterns.size(),
                        " patterns; the mask is of another model"));
  }
  if (const auto at = first_dropped(mask, *form, weight))
    throw UserError(str(where, ": expected zeros where the mask drops weights, got another number ",
                        "at element ", *at, " of ", extents,
                        "; the mask is of another model, or the weights were trained without it"));
  graph.value(id).sparsity = mask;
}

}  // namespace

void read_masks(const nlohmann::json& masks, ir::Graph& graph, const std::string& where) {
  if (!masks.is_object()) throw UserError(str(where, ": not a JSON object"));
  for (const auto& [name, json] : masks.items()) {
    const std::string of_weight = str(where, ", weight \"", name, "\"");
    const ir::ValueId id = graph.find(name);
    if (!graph.is_constant(id)) {
      std::vector<std::string> names;
      for (const ir::Value& value : graph.values()) {
        if (value.constant != nullptr && value.constant->shape.size() > 1)
          names.push_back(value.name);
      }
      throw UserError(str(of_weight, ": the model has no such weight, so the mask is of another",
                          did_you_mean(name, names)));
    }
    read_mask(sparsity_from_json(json, of_weight), graph, id, of_weight);
  }
}

}  // namespace xgen
