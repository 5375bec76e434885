#include "prune/masks.h"

#include <cstring>

#include "core/sha256.h"
#include "prune/block_energy.h"
#include "prune/schemes/schemes.h"

namespace xgen::prune {

namespace {

const torch::Tensor& param(const Params& params, const std::string& name) {
  const auto it = params.find(name);
  XGEN_CHECK(it != params.end(), "no parameter \"", name, "\"");
  return it->second;
}

std::vector<float> values_of(const torch::Tensor& tensor) {
  const torch::Tensor values = tensor.detach().to(torch::kCPU, torch::kFloat32).contiguous();
  return {values.data_ptr<float>(), values.data_ptr<float>() + values.numel()};
}

/// The mask of a sparsity in the layout in which the weight is stored.
torch::Tensor keep_tensor(const Sparsity& sparsity, const WeightShape& shape, bool transposed,
                          const std::vector<std::int64_t>& stored_shape) {
  const std::vector<std::uint8_t> mask = expand_mask(sparsity, shape);
  torch::Tensor keep = torch::empty(static_cast<std::int64_t>(mask.size()), torch::kUInt8);
  std::memcpy(keep.data_ptr<std::uint8_t>(), mask.data(), mask.size());
  keep = keep.to(torch::kBool);
  if (transposed) keep = keep.view({shape.c_out, shape.c_in}).t().contiguous();
  return keep.view(stored_shape);
}

std::vector<std::int64_t> stored_shape(const WeightShape& shape, bool transposed,
                                       bool fully_connected) {
  if (transposed) return {shape.c_in, shape.c_out};
  if (fully_connected) return {shape.c_out, shape.c_in};
  return {shape.c_out, shape.c_in, shape.kh, shape.kw};
}

void update(Sha256& hash, const std::string& name, const torch::Tensor& zeros) {
  const torch::Tensor bytes = zeros.to(torch::kCPU, torch::kUInt8).contiguous();
  const std::string head = ::xgen::str(name, '\n', zeros.sizes(), '\n');
  hash.update({reinterpret_cast<const std::byte*>(head.data()), head.size()});
  hash.update({reinterpret_cast<const std::byte*>(bytes.data_ptr<std::uint8_t>()),
               static_cast<std::size_t>(bytes.numel())});
}

LayerMask mask_of(const std::vector<double>& energy, const torch::Tensor& weight,
                  const PlannedLayer& layer) {
  LayerMask mask{layer.shape, layer.transposed, project(energy, layer.shape, layer.constraint), {}};
  mask.keep = keep_tensor(mask.sparsity, layer.shape, layer.transposed, weight.sizes().vec())
                  .to(weight.device());
  return mask;
}

}  // namespace

WeightReader reader_of(const Params& params) {
  return [&params](const std::string& name) { return values_of(param(params, name)); };
}

LayerMask project_weight(const torch::Tensor& weight, const PlannedLayer& layer) {
  const auto values = values_of(logical_weight(weight, layer.shape, layer.transposed));
  return mask_of(squares(values), weight, layer);
}

torch::Tensor logical_weight(const torch::Tensor& weight, const WeightShape& shape,
                             bool transposed) {
  const torch::Tensor filters_first = transposed ? weight.t() : weight;
  return filters_first.reshape({shape.c_out, shape.c_in, shape.kh, shape.kw}).to(torch::kFloat32);
}

void MaskSet::apply(const Params& params) const {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, mask] : masks_) {
    const torch::Tensor& weight = param(params, name);
    // Filled, not multiplied: -w * 0 is -0, and a pruned NaN would stay.
    weight.detach().masked_fill_(mask.keep.to(weight.device()).logical_not(), 0);
  }
}

void MaskSet::apply_to_gradients(const Params& params) const {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, mask] : masks_) {
    const torch::Tensor& gradient = param(params, name).grad();
    if (gradient.defined()) {
      gradient.masked_fill_(mask.keep.to(gradient.device()).logical_not(), 0);
    }
  }
}

std::string MaskSet::hash() const {
  Sha256 hash;
  for (const auto& [name, mask] : masks_) update(hash, name, mask.keep.logical_not());
  return hash.hex();
}

std::string MaskSet::hash_of(const Params& params) const {
  Sha256 hash;
  for (const auto& [name, mask] : masks_) {
    const torch::Tensor& weight = param(params, name);
    const torch::Tensor is_zero =
        weight.detach().eq(0).logical_and(weight.detach().signbit().logical_not());
    update(hash, name, mask.keep.to(weight.device()).logical_not().logical_and(is_zero));
  }
  return hash.hex();
}

Params MaskSet::state() const {
  Params state;
  for (const auto& [name, mask] : masks_) {
    const Sparsity& s = mask.sparsity;
    state[name + "/kept"] =
        torch::tensor(std::vector<std::int64_t>(s.kept.begin(), s.kept.end()), torch::kInt32);
    std::vector<std::int64_t> patterns;
    for (const Pattern& pattern : s.patterns.patterns) {
      patterns.push_back(static_cast<std::int64_t>(pattern.bits));
    }
    state[name + "/patterns"] = torch::tensor(patterns, torch::kInt64);
    state[name + "/form"] = torch::tensor(
        std::vector<std::int64_t>{static_cast<std::int64_t>(s.scheme), s.group_out, s.lane_channels,
                                  mask.shape.c_out, mask.shape.c_in, mask.shape.kh, mask.shape.kw,
                                  mask.transposed ? 1 : 0, mask.keep.dim()},
        torch::kInt64);
  }
  return state;
}

void MaskSet::load(const Params& state) {
  std::map<std::string, LayerMask> masks;
  const auto tensor = [&](const std::string& key, torch::ScalarType type) {
    const auto it = state.find(key);
    if (it == state.end() || it->second.scalar_type() != type || it->second.dim() != 1) {
      throw UserError(::xgen::str("checkpoint: expected a mask \"", key, "\", got ",
                                  it == state.end() ? "nothing" : "a tensor of another kind"));
    }
    return it->second.cpu().contiguous();
  };
  const std::string suffix = "/form";
  for (const auto& [key, unused] : state) {
    if (key.size() < suffix.size() || key.substr(key.size() - suffix.size()) != suffix) continue;
    const std::string name = key.substr(0, key.size() - suffix.size());
    const torch::Tensor form = tensor(key, torch::kInt64);
    const torch::Tensor kept = tensor(name + "/kept", torch::kInt32);
    const torch::Tensor patterns = tensor(name + "/patterns", torch::kInt64);
    const auto at = [&](std::int64_t i) { return static_cast<int>(form[i].item<std::int64_t>()); };
    if (form.numel() != 9)
      throw UserError(::xgen::str("checkpoint: mask \"", name, "\" is of another kind"));
    LayerMask mask;
    mask.shape = {at(3), at(4), at(5), at(6)};
    mask.transposed = at(7) != 0;
    mask.sparsity.scheme = static_cast<Sparsity::Scheme>(at(0));
    mask.sparsity.group_out = at(1);
    mask.sparsity.lane_channels = at(2);
    for (std::int64_t p = 0; p < patterns.numel(); ++p) {
      mask.sparsity.patterns.patterns.push_back(
          {static_cast<std::uint64_t>(patterns[p].item<std::int64_t>())});
    }
    for (std::int64_t i = 0; i < kept.numel(); ++i) {
      mask.sparsity.kept.push_back(kept[i].item<std::int32_t>());
    }
    mask.keep = keep_tensor(mask.sparsity, mask.shape, mask.transposed,
                            stored_shape(mask.shape, mask.transposed, at(8) == 2));
    masks[name] = std::move(mask);
  }
  masks_ = std::move(masks);
}

ir::Graph MaskSet::annotate(ir::Graph graph) const {
  for (const auto& [name, mask] : masks_) {
    const ir::ValueId id = graph.find(name);
    XGEN_CHECK(graph.is_constant(id), "a mask for \"", name, "\", which is no constant");
    ir::Constant constant = *graph.constant(id);
    const auto values = constant.as_mutable<float>();
    const torch::Tensor keep = mask.keep.cpu().contiguous();
    XGEN_CHECK(static_cast<std::size_t>(keep.numel()) == values.size(),
               "a mask of another shape for \"", name, "\"");
    const bool* kept = keep.data_ptr<bool>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!kept[i]) values[i] = 0;
    }
    graph.set_constant(id, std::move(constant));
    graph.value(id).sparsity = mask.sparsity;
  }
  return graph;
}

MaskSet scored_masks(const Params& params, const Params& scores,
                     const std::vector<PlannedLayer>& layers) {
  MaskSet masks;
  for (const PlannedLayer& layer : layers) {
    const torch::Tensor energy =
        param(scores, layer.weight).detach().to(torch::kCPU, torch::kFloat64).contiguous();
    masks.set(layer.weight,
              mask_of({energy.data_ptr<double>(), energy.data_ptr<double>() + energy.numel()},
                      param(params, layer.weight), layer));
  }
  return masks;
}

MaskSet magnitude_masks(const Params& params, const std::vector<PlannedLayer>& layers) {
  MaskSet masks;
  for (const PlannedLayer& layer : layers) {
    masks.set(layer.weight, project_weight(param(params, layer.weight), layer));
  }
  return masks;
}

}  // namespace xgen::prune
